import itertools
import random

import pytest

from core.digests.thread_metrics import ThreadScores, score_threads


def scores(predicted: list[set[int]], gold: list[set[int]]) -> ThreadScores:
    return score_threads(
        predicted=[frozenset(thread) for thread in predicted],
        gold=[frozenset(thread) for thread in gold],
        predicted_links=[(2, 1), (3, 3)],
        gold_links=[(2, 1), (3, 1), (4, 4)],
    )


def test_scores_when_threads_are_equal_then_full() -> None:
    found = scores([{1, 2}, {3}, {4, 5}], [{4, 5}, {1, 2}, {3}])
    assert found[:5] == (100, 100, 100, 100, 100)


def test_links_are_scored_as_sets() -> None:
    found = scores([{1, 2, 3}], [{1, 2, 3}])
    assert (found.link_p, round(found.link_r, 1), found.link_f) == (50, 33.3, 40)


def test_scores_when_halves_are_mixed_then_known_figures() -> None:
    found = scores([{1, 2}, {3, 4}], [{1, 3}, {2, 4}])
    assert found.vi == pytest.approx(0)  # two bits of two
    assert found.one_to_one == 50
    assert found.exact_f == 0


def test_exact_leaves_out_single_messages() -> None:
    found = scores([{1, 2}, {3}, {4}], [{1, 2}, {3, 4}])
    assert (found.exact_p, found.exact_r) == (100, 50)


def test_scores_when_messages_differ_then_refused() -> None:
    with pytest.raises(ValueError, match="same messages"):
        scores([{1, 2}], [{1, 2, 3}])
    with pytest.raises(ValueError, match="one thread"):
        scores([{1, 2}, {2, 3}], [{1, 2, 3}])


@pytest.mark.parametrize("seed", range(30))
def test_one_to_one_is_the_best_matching(seed: int) -> None:
    dice = random.Random(seed)
    size = 14
    predicted, gold = (partition(dice, size, dice.randint(1, 6)) for _ in range(2))
    assert scores(predicted, gold).one_to_one == pytest.approx(100 * brute_force(predicted, gold) / size)


def partition(dice: random.Random, size: int, groups: int) -> list[set[int]]:
    threads: list[set[int]] = [set() for _ in range(groups)]
    for number in range(size):
        dice.choice(threads).add(number)
    return [thread for thread in threads if thread]


def brute_force(one: list[set[int]], other: list[set[int]]) -> int:
    small, large = sorted((one, other), key=len)
    return max(
        sum(len(mine & theirs) for mine, theirs in zip(small, chosen, strict=True))
        for chosen in itertools.permutations(large, len(small))
    )
