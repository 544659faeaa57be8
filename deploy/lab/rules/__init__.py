"""What a good team would have without whichlayer: Prometheus, its exporters, and alert rules that name a layer."""
