"""An exporter that nobody scrapes yet."""
