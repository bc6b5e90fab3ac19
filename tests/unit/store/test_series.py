from contui.model.sample import Rates, Sample
from contui.store.series import EVERY, OLDER, RECENT, Series


def filled(count: int, step: float = 1.0) -> Series:
    series = Series()
    for index in range(count):
        series.add(Sample(index * step, cpu_ns=index * 500_000_000))
    return series


def test_nothing_is_known_before_the_second_sample() -> None:
    series = Series()
    assert (series.last, series.cpu(), series.samples()) == (None, (), [])
    series.add(Sample(1.0, cpu_ns=5))
    assert series.rates == Rates()
    assert series.cpu() == ()


def test_rates_are_those_of_the_two_newest_samples() -> None:
    series = filled(3)
    assert series.rates.cpu == 0.5
    series.add(Sample(3.0, cpu_ns=3_000_000_000))
    assert series.rates.cpu == 2.0
    assert series.cpu() == (0.5, 0.5, 2.0)


def test_a_sample_that_is_not_newer_is_ignored() -> None:
    series = filled(3)
    series.add(Sample(2.0, cpu_ns=9_000_000_000))
    series.add(Sample(1.5, cpu_ns=9_000_000_000))
    assert len(series.samples()) == 3
    assert series.rates.cpu == 0.5


def test_a_counter_that_went_back_leaves_a_hole_in_the_sparkline() -> None:
    series = filled(2)
    series.add(Sample(2.0, cpu_ns=0))
    assert series.cpu() == (0.5, None)


def test_the_sparkline_has_a_dozen_points() -> None:
    assert len(filled(100).cpu()) == 12


def test_recent_samples_are_kept_in_full_and_older_ones_thinned() -> None:
    times = [sample.at for sample in filled(RECENT + 100).samples()]
    assert times == sorted(times)
    assert times[-RECENT:] == [float(at) for at in range(100, 100 + RECENT)]
    assert times[:-RECENT] == [float(at) for at in range(0, 100, int(EVERY))]


def test_a_series_never_grows_beyond_its_rings() -> None:
    series = filled(20_000)
    assert len(series.samples()) == RECENT + OLDER
    assert series.last is not None
    assert series.last.at == 19_999.0
