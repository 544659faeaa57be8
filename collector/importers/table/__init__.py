"""Tables that a supplier or a colleague sends, as CSV or Excel, read with a mapping that is written once."""
