"""One file, one kind of channel that alerts are told over."""
