"""Rendering ahead: everything once, nothing lost by a worker that dies, nothing kept of who was erased, nobody waits."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from services.certs import rendering
from services.certs.models import Certificate, Document
from services.certs.prerender import actions
from services.certs.prerender import entrypoints as prerender
from services.certs.prerender.models import RenderPosition, RenderStretch
from services.shared import clock


@pytest.fixture
def printed(monkeypatch):
    """Renders without setting type; the numbers, in the order they were rendered."""
    numbers = []

    def render(paper):
        numbers.append(paper.number)
        return b"%PDF " + paper.number.encode()

    monkeypatch.setattr(rendering, "render", render)
    return numbers


@pytest.fixture
def issued(season, render, fixed_clock, monkeypatch):
    """Three certificates that have settled; what other tests issued before is behind."""
    monkeypatch.setattr(actions, "STRETCH", 2)
    teachers = [season.teacher() for _ in range(3)]
    season.close()
    season.decide()
    with render.service.database.work() as db:
        rows = list(db.scalars(sa.select(Certificate).where(Certificate.teacher_id.in_(teachers))))
        db.execute(sa.delete(RenderStretch))
        db.execute(sa.update(RenderPosition).values(position=min(row.status_index for row in rows) - 1))
    fixed_clock.instant += dt.timedelta(minutes=5)
    return sorted(rows, key=lambda row: row.status_index)


def documents(render, issued):
    with render.service.database.work() as db:
        ids = [row.certificate_id for row in issued]
        return list(db.scalars(sa.select(Document).where(Document.certificate_id.in_(ids))))


def run(render):
    while render.service.render_ahead():
        pass


def test_everything_is_rendered_once_and_whoever_asks_gets_that(render, issued, printed, a_person):
    run(render)
    assert printed == [row.number for row in issued]
    run(render)
    assert len(printed) == 3
    paper = {"certificate_id": str(issued[0].certificate_id)}
    assert render.call("render_certificate", paper, a_person(issued[0].teacher_id))["size"] == 21
    assert len(printed) == 3
    with render.service.database.work() as db:
        assert db.scalars(sa.select(RenderStretch)).all() == []


def test_what_is_not_settled_waits(render, issued, printed, fixed_clock):
    fixed_clock.instant -= dt.timedelta(minutes=4)
    assert not render.service.render_ahead()
    assert printed == []


def test_a_worker_that_dies_leaves_its_stretch_to_another(render, issued, printed, fixed_clock, monkeypatch):
    kept, put = [], render.service.storage.put

    def dying(*arguments):
        if kept:
            raise KeyboardInterrupt
        kept.append(put(*arguments))
        return kept[0]

    with monkeypatch.context() as patch:
        patch.setattr(render.service.storage, "put", dying)
        with pytest.raises(KeyboardInterrupt):
            run(render)
    assert len(documents(render, issued)) == 1
    run(render)  # the others go on meanwhile
    assert {row.certificate_id for row in documents(render, issued)} == {
        issued[0].certificate_id,
        issued[2].certificate_id,
    }
    fixed_clock.instant += actions.LEASE
    run(render)
    assert len(documents(render, issued)) == 3
    assert printed.count(issued[0].number) == 1


def test_two_workers_never_have_the_same_stretch(render, issued):
    database = render.service.database
    with database.work() as one:
        first = actions.claim(one, clock.now())
    with database.work() as one, database.work() as two:
        second, third = actions.claim(one, clock.now()), None
        one.commit()
        third = actions.claim(two, clock.now())
    assert (first.first, first.last) == (issued[0].status_index, issued[1].status_index)
    assert second.first == issued[2].status_index
    assert third is None


def test_while_somebody_asks_nothing_is_rendered_ahead(render, issued, printed, monkeypatch):
    render.service.somebody_asks()
    assert not render.service.render_ahead()
    assert printed == []
    monkeypatch.setattr(prerender, "QUIET_SECONDS", 0.0)
    run(render)
    assert len(printed) == 3


def test_whoever_asks_in_the_middle_is_served_and_the_rest_comes_later(render, issued, printed, monkeypatch):
    put = render.service.storage.put

    def asked(*arguments):
        render.service.somebody_asks()
        return put(*arguments)

    monkeypatch.setattr(render.service.storage, "put", asked)
    assert not render.service.render_ahead()
    assert len(printed) == 1
    monkeypatch.setattr(prerender, "QUIET_SECONDS", 0.0)
    run(render)
    assert sorted(printed) == sorted(row.number for row in issued)


def test_of_who_was_erased_meanwhile_nothing_is_kept(render, issued, printed, monkeypatch):
    put = render.service.storage.put

    def erased(*arguments):
        with render.service.database.work() as db:
            db.execute(
                sa.update(Certificate)
                .where(Certificate.certificate_id == issued[0].certificate_id)
                .values(holder_sealed="")
            )
        monkeypatch.setattr(render.service.storage, "put", put)
        return put(*arguments)

    monkeypatch.setattr(render.service.storage, "put", erased)
    run(render)
    assert {row.certificate_id for row in documents(render, issued)} == {row.certificate_id for row in issued[1:]}


def test_a_damaged_row_holds_up_no_other(render, issued, printed):
    with render.service.database.work() as db:
        db.execute(
            sa.update(Certificate).where(Certificate.certificate_id == issued[0].certificate_id).values(hours="60.00")
        )
    run(render)
    assert len(documents(render, issued)) == 2
