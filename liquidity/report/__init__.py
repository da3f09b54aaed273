"""What a run looks like to a person: figures and the page."""

from liquidity.report.html import write_report

__all__ = ["write_report"]
