"""The one port to Windows."""
