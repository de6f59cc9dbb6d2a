"""Drain3 in an interpreter of its own: it pins packages that nothing else here could live with.

    PYTHON benchmarks/_drain3_peer.py MESSAGES.json MASKS.json

Prints the CPU seconds of mining alone and the cluster of each message, as JSON.
"""

import json
import sys
import time
from pathlib import Path

from drain3 import TemplateMiner
from drain3.masking import MaskingInstruction
from drain3.template_miner_config import TemplateMinerConfig

messages, masks = (json.loads(Path(path).read_text(encoding="utf-8")) for path in sys.argv[1:])
config = TemplateMinerConfig()
config.masking_instructions = [MaskingInstruction(pattern, name) for pattern, name in masks]
miner = TemplateMiner(config=config)
start = time.process_time()
clusters = [miner.add_log_message(message)["cluster_id"] for message in messages]
json.dump({"seconds": time.process_time() - start, "clusters": clusters}, sys.stdout)
