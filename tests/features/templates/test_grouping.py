from collections import Counter

import pytest

from anomaly_detection.features.templates import TemplateMiner, mine
from features.templates.systems import SYSTEMS, log


def grouping_accuracy(found, true):
    """The share of lines whose group is exactly the true one."""
    sizes, true_sizes, pairs = Counter(found), Counter(true), Counter(zip(found, true, strict=True))
    return sum(n for (a, b), n in pairs.items() if n == sizes[a] == true_sizes[b]) / len(true)


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_statements_are_found_as_they_were_written(name, seed):
    messages, true = log(name, 1500, seed)
    ids, templates = mine(messages)
    assert grouping_accuracy(ids.tolist(), true) >= 0.95, templates
    assert len(templates) <= len(SYSTEMS[name]) + 1


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_order_of_lines_hardly_matters(name):
    messages, _ = log(name, 1500)
    ids, back = mine(messages)[0], mine(messages[::-1])[0][::-1]
    assert grouping_accuracy(ids.tolist(), back.tolist()) >= 0.95


def test_the_miner_learns_what_the_batch_finds():
    messages, true = log("login", 3000)
    miner = TemplateMiner()
    miner.update(messages[:1500])
    assert grouping_accuracy(miner.update(messages[1500:]).tolist(), true[1500:]) >= 0.95


def test_ids_are_in_order_of_appearance_and_all_are_used():
    messages, _ = log("cluster", 300)
    ids, templates = mine(messages)
    seen = list(dict.fromkeys(ids.tolist()))
    assert seen == list(range(len(templates)))
    assert len(set(templates)) == len(templates)
    assert mine([])[1] == []
