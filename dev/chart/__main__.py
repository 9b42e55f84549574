"""`PYTHONPATH=dev python -m chart` writes the chart's parts that are made from something else."""

from chart.made import CHART, made


def main() -> None:
    """Write all of them."""
    for name, text in made().items():
        file = CHART / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
