"""The messages of Prometheus remote write 1.0 and 2.0, as far as they are read, from the published specification."""

from collector.api.messages import BYTES, DOUBLE, INT64, STRING, UINT32, made

_CLASSES = made(
    "whichlayer.remote_write",
    {
        "Label": {"name": (1, STRING), "value": (2, STRING)},
        "Sample": {"value": (1, DOUBLE), "timestamp": (2, INT64)},  # milliseconds since 1970
        # prometheus.WriteRequest
        "WriteRequest": {"timeseries*": (1, BYTES)},
        "TimeSeries": {
            "labels*": (1, "Label"),
            "samples*": (2, "Sample"),
            "exemplars*": (3, BYTES),
            "histograms*": (4, BYTES),
        },
        # io.prometheus.write.v2.Request
        "Request": {"symbols*": (4, STRING), "timeseries*": (5, "TimeSeriesV2")},
        "TimeSeriesV2": {
            "labels_refs*": (1, UINT32),
            "samples*": (2, "Sample"),
            "histograms*": (3, BYTES),
            "exemplars*": (4, BYTES),
        },
    },
)
WriteRequest = _CLASSES["WriteRequest"]
TimeSeries = _CLASSES["TimeSeries"]
Request = _CLASSES["Request"]
