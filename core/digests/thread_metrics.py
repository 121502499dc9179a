"""How near predicted threads are to gold ones: links, variation of information, one-to-one overlap, exact matches.

Keys of a message are any hashables, so that several files are scored together by (file, message id).
All figures are percentages, 0..100.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

Key = Hashable
Thread = frozenset[Key]


class ThreadScores(NamedTuple):
    vi: float
    one_to_one: float
    exact_p: float
    exact_r: float
    exact_f: float
    link_p: float
    link_r: float
    link_f: float


def score_threads(
    *,
    predicted: Sequence[Thread],
    gold: Sequence[Thread],
    predicted_links: Iterable[tuple[Key, Key]],
    gold_links: Iterable[tuple[Key, Key]],
) -> ThreadScores:
    """Both sides partition the same messages; raises ValueError when they do not."""
    overlaps = _overlaps(predicted, gold)
    links = precision_recall(set(predicted_links), set(gold_links))
    exact = precision_recall(_several(predicted), _several(gold))
    return ThreadScores(
        variation_of_information(predicted, gold, overlaps), one_to_one(predicted, overlaps), *exact, *links
    )


def precision_recall(predicted: set[Key], gold: set[Key]) -> tuple[float, float, float]:
    """Precision, recall and their harmonic mean; an empty side scores 0."""
    right = len(predicted & gold)
    precision = 100 * right / len(predicted) if predicted else 0.0
    recall = 100 * right / len(gold) if gold else 0.0
    return precision, recall, 2 * precision * recall / (precision + recall) if right else 0.0


def variation_of_information(
    predicted: Sequence[Thread], gold: Sequence[Thread], overlaps: Mapping[tuple[int, int], int]
) -> float:
    """100 for equal partitions, 0 for the worst: 100 * (1 - VI / log2 n)."""
    total = sum(len(thread) for thread in gold)
    if total < 2:
        return 100.0
    bits = 0.0
    for (mine, theirs), shared in overlaps.items():
        joint = shared / total
        bits -= joint * (math.log2(shared / len(predicted[mine])) + math.log2(shared / len(gold[theirs])))
    return 100 * (1 - bits / math.log2(total))


def one_to_one(predicted: Sequence[Thread], overlaps: Mapping[tuple[int, int], int]) -> float:
    """The share of messages in the best one-to-one matching of predicted with gold threads."""
    total = sum(len(thread) for thread in predicted)
    matched = sum(_best_matching(block) for block in _connected_blocks(overlaps))
    return 100 * matched / total if total else 100.0


def _several(threads: Sequence[Thread]) -> set[Key]:
    return {thread for thread in threads if len(thread) > 1}


def _overlaps(predicted: Sequence[Thread], gold: Sequence[Thread]) -> Counter[tuple[int, int]]:
    home = _homes(gold)
    if home.keys() != _homes(predicted).keys():
        raise ValueError("predicted and gold threads must hold the same messages")
    return Counter((mine, home[key]) for mine, thread in enumerate(predicted) for key in thread)


def _homes(threads: Sequence[Thread]) -> dict[Key, int]:
    homes = {key: number for number, thread in enumerate(threads) for key in thread}
    if len(homes) != sum(len(thread) for thread in threads):
        raise ValueError("a message belongs to one thread")
    return homes


def _connected_blocks(overlaps: Mapping[tuple[int, int], int]) -> list[list[list[int]]]:
    """The overlap table cut into parts that share no thread: matching is cubic, so small tables matter."""
    rows: dict[int, set[int]] = defaultdict(set)
    columns: dict[int, set[int]] = defaultdict(set)
    for row, column in overlaps:
        rows[row].add(column)
        columns[column].add(row)
    blocks, seen = [], set[int]()
    for start in rows:
        if start not in seen:
            in_block = _reachable(start, rows, columns)
            seen |= in_block
            wide = sorted(set().union(*(rows[row] for row in in_block)))
            blocks.append([[overlaps.get((row, column), 0) for column in wide] for row in sorted(in_block)])
    return blocks


def _reachable(start: int, rows: Mapping[int, set[int]], columns: Mapping[int, set[int]]) -> set[int]:
    reached, queue = {start}, [start]
    while queue:
        fresh = {row for column in rows[queue.pop()] for row in columns[column]} - reached
        reached |= fresh
        queue.extend(fresh)
    return reached


def _best_matching(gains: list[list[int]]) -> int:
    """The largest sum of entries, at most one in each row and column (Hungarian method with potentials)."""
    if len(gains) > len(gains[0]):
        gains = [list(column) for column in zip(*gains, strict=True)]
    owner = _assign([[-gain for gain in row] for row in gains])
    return sum(gains[row][column] for column, row in owner.items())


def _assign(costs: list[list[int]]) -> dict[int, int]:
    """Column → row of the cheapest assignment of every row; no more rows than columns."""
    row_potential = [0] * len(costs)
    column_potential = [0] * len(costs[0])
    owner: dict[int, int] = {}
    for row in range(len(costs)):
        _augment(row, costs, row_potential, column_potential, owner)
    return owner


def _augment(
    start: int, costs: list[list[int]], row_potential: list[int], column_potential: list[int], owner: dict[int, int]
) -> None:
    """Gives row `start` a column along the cheapest alternating path, keeping reduced costs non-negative."""
    slack = [costs[start][column] - row_potential[start] - cost for column, cost in enumerate(column_potential)]
    came_from: dict[int, int | None] = dict.fromkeys(range(len(slack)))
    visited: list[int] = []
    waiting = set(range(len(slack)))
    while True:
        column = min(waiting, key=slack.__getitem__)
        step = slack[column]
        row_potential[start] += step
        for done in visited:
            row_potential[owner[done]] += step
            column_potential[done] -= step
        for open_column in waiting:
            slack[open_column] -= step
        waiting.remove(column)
        visited.append(column)
        if column not in owner:
            break
        row = owner[column]
        for open_column in waiting:
            reduced = costs[row][open_column] - row_potential[row] - column_potential[open_column]
            if reduced < slack[open_column]:
                slack[open_column] = reduced
                came_from[open_column] = column
    _flip(column, start, came_from, owner)


def _flip(column: int, start: int, came_from: dict[int, int | None], owner: dict[int, int]) -> None:
    while (previous := came_from[column]) is not None:
        owner[column] = owner[previous]
        column = previous
    owner[column] = start
