from median_probe import MedianDifference

from probes import check_probe, get_probe


def test_it_passes_every_check():
    check_probe(MedianDifference)


def test_it_is_found_by_its_name():
    assert type(get_probe("median-diff")) is MedianDifference
