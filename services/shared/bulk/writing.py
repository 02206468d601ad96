"""The two files that a job leaves: the report of an import, and an export with its watermark. Both sealed as they grow."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from services.shared import clock
from services.shared.bulk import actions
from services.shared.bulk.columns import CODE_TITLE, OUTCOME_TITLE, REASON_TITLE, RESULT_TITLE
from services.shared.bulk.files import SealedFile, SealedFiles
from services.shared.bulk.kinds import Export, Kind
from services.shared.crypto import FieldCipher
from services.shared.sheet_writer import SheetWriter

OUTCOMES = {
    "PENDING": "未处理",
    "CREATED": "已新增",
    "CHANGED": "已变更",
    "UNCHANGED": "无变化",
    "REFUSED": "未通过",
}
WARNING = "内含个人信息，仅限上述用途；不得转发，用后销毁。"


def watermark(job: Any, kind: Export, name: str, now: dt.datetime) -> dict[str, str]:
    """Who took what out, when and for what: a sheet of the file, and in short on each of its pages."""
    return {
        "内容": kind.title,
        "范围": job.place,
        "导出人": name,
        "导出时间": f"{now.astimezone(clock.BEIJING):%Y-%m-%d %H:%M} (北京时间)",
        "用途": job.reason,
        "任务编号": str(job.job_id),
        "注意": WARNING,
    }


def report_sheet(
    files: SealedFiles,
    job: Any,
    kind: Kind,
    pages: Iterable[Sequence[Any]],
    cipher: FieldCipher,
    text_of: Callable[[str], str],
) -> SealedFile:
    """Every row as it was uploaded, in the columns of the template, with what became of it."""
    titles = {column.key: column.title for column in kind.columns}
    shown = [position for position, key in enumerate(job.header) if key in titles]
    header = [*(titles[job.header[position]] for position in shown), OUTCOME_TITLE, CODE_TITLE, REASON_TITLE]

    def cells_of(row: Any) -> list[str]:
        cells = actions.open_texts(cipher, job.job_id, row.number, "cells", row.cells_sealed)
        told = actions.open_texts(cipher, job.job_id, row.number, "told", row.told_sealed)
        reason = text_of(row.code) if row.code else ""
        if where := titles.get(row.field):
            reason = f"{where}：{reason}"
        given = [cells[position] if position < len(cells) else "" for position in shown]
        return [*given, OUTCOMES[row.outcome], row.code, reason, *told]

    rows = (cells_of(row) for page in pages for row in page)
    return _store(files, [*header, RESULT_TITLE], rows)[0]


def export_sheet(
    files: SealedFiles, kind: Export, notes: Mapping[str, str], pages: Iterable[Sequence[Sequence[str]]]
) -> tuple[SealedFile, int]:
    """The export with its watermark, and how many rows it has."""
    short = " ".join(notes[title] for title in ("导出人", "导出时间", "任务编号", "用途"))
    return _store(files, kind.titles, (row for page in pages for row in page), margin=short, notes=notes)


def _store(
    files: SealedFiles,
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    margin: str = "",
    notes: Mapping[str, str] | None = None,
) -> tuple[SealedFile, int]:
    writer, count = files.write(), 0
    try:
        sheet = SheetWriter(writer.write, header, margin=margin, notes=notes)
        for cells in rows:
            sheet.write_row(cells)
            count += 1
        sheet.close()
        return writer.close(), count
    except BaseException:
        writer.abandon()
        raise
