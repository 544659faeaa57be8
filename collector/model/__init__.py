"""The words every package shares: frozen, validated, standard library only, no input or output.

One idea, one file: ``access``, ``layer``, ``run``, ``session``, ``sample``, ``change``, ``verdict``,
``errors``. Durations are seconds (float), times are timezone-aware, sizes are bytes.
"""
