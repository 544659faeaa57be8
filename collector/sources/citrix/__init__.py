"""Citrix Virtual Apps and Desktops, or DaaS, by Monitor OData v4: logon phases, ICA times, real sessions, failures."""
