"""The messages of OTLP metrics as far as they are read: attributes, and points of numbers, stay bytes until needed."""

from collector.api.messages import BOOL, BYTES, DOUBLE, FIXED64, INT32, SFIXED64, STRING, UINT32, made

_TIMES = {"start_time_unix_nano": (2, FIXED64), "time_unix_nano": (3, FIXED64)}
_COUNT = {**_TIMES, "count": (4, FIXED64)}
_CLASSES = made(
    "whichlayer.otlp",
    {
        "Request": {"resource_metrics*": (1, "ResourceMetrics")},
        "ResourceMetrics": {"resource": (1, BYTES), "scope_metrics*": (2, "ScopeMetrics")},
        "ScopeMetrics": {"metrics*": (2, "Metric")},
        "Metric": {
            "name": (1, STRING),
            "gauge?": (5, "Gauge"),
            "sum?": (7, "Sum"),
            "histogram?": (9, "Histogram"),
            "exponential_histogram?": (10, "ExponentialHistogram"),
            "summary?": (11, "Summary"),
        },
        "Gauge": {"data_points*": (1, BYTES)},
        "Sum": {"data_points*": (1, BYTES), "aggregation_temporality": (2, INT32), "is_monotonic": (3, BOOL)},
        "Histogram": {"data_points*": (1, "HistogramPoint")},
        "ExponentialHistogram": {"data_points*": (1, "ExponentialPoint")},
        "Summary": {"data_points*": (1, "SummaryPoint")},
        "NumberPoint": {
            **_TIMES,
            "as_double?": (4, DOUBLE),
            "as_int?": (6, SFIXED64),
            "attributes*": (7, BYTES),
            "flags": (8, UINT32),
        },
        "HistogramPoint": {**_COUNT, "sum?": (5, DOUBLE), "attributes*": (9, BYTES), "flags": (10, UINT32)},
        "ExponentialPoint": {**_COUNT, "sum?": (5, DOUBLE), "attributes*": (1, BYTES), "flags": (10, UINT32)},
        "SummaryPoint": {**_COUNT, "sum": (5, DOUBLE), "attributes*": (7, BYTES), "flags": (8, UINT32)},
    },
)
Request = _CLASSES["Request"]
NumberPoint = _CLASSES["NumberPoint"]
