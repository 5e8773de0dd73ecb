"""What a scanner found in an artifact, as Harbor sums it up. Nothing scans yet, so no artifact has any of it."""

from __future__ import annotations

from api.shapes import Map, Moment, Number, Shape, Text


class Scanner(Shape):
    name = Text()
    vendor = Text()
    version = Text()


class VulnerabilitySummary(Shape):
    total = Number(always=True)
    fixable = Number(always=True)
    summary = Map(Number(), always=True)


class NativeReportSummary(Shape):
    report_id = Text()
    scan_status = Text()
    severity = Text()
    duration = Number()
    summary = VulnerabilitySummary()
    start_time = Moment()
    end_time = Moment()
    complete_percent = Number()
    scanner = Scanner()


class SBOMOverview(Shape):
    start_time = Moment()
    end_time = Moment()
    scan_status = Text()
    sbom_digest = Text()
    report_id = Text()
    duration = Number()
    scanner = Scanner()
