"""What can be measured of log lines, one by one or in batches, with the same bits."""

from anomaly_detection.features.logs.features import LogFeatures as LogFeatures
from anomaly_detection.features.logs.lines import Lines as Lines
from anomaly_detection.features.logs.windows import ServiceWindows as ServiceWindows
