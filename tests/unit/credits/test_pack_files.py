"""Rule packs as files: the shipped ones are sound and sourced, faulty ones are refused at their place."""

from __future__ import annotations

import copy

import pytest
import yaml

from services.credits import pack_files
from services.credits.rules.pack import Kind, LedgerPack, SeasonPack, Status
from services.shared.yaml_files import YamlError, read_yaml

SHIPPED = pack_files.PACKS / "smartedu-2023-winter.yaml"


def test_every_shipped_pack_loads_and_every_number_has_its_source():
    assert {"smartedu-2023-winter", "smartedu-2023-winter-step"} <= set(pack_files.list_packs())
    for pack_id in pack_files.list_packs():
        pack = pack_files.load_pack(pack_id)
        assert pack.pack_id == pack_id
        assert len(pack.version) == 64
        assert all(rule.source and rule.text["zh"] and rule.text["en"] for rule in pack.rules)


def test_the_step_reading_is_a_sample_and_differs_in_accrual_only():
    base, step = (pack_files.load_pack(f"smartedu-2023-winter{suffix}") for suffix in ("", "-step"))
    assert (base.status, step.status) == (Status.ACTIVE, Status.SAMPLE)
    assert base.version != step.version
    different = {rule.rule_id for rule in base.rules} ^ {rule.rule_id for rule in step.rules}
    assert not different
    assert {a.kind for a, b in zip(base.rules, step.rules, strict=True) if a != b} == {Kind.ACCRUAL}


def test_a_version_is_the_content_not_the_layout(tmp_path):
    content = read_yaml(SHIPPED).content
    copied = tmp_path / SHIPPED.name
    copied.write_text("# another comment\n" + yaml.safe_dump(content, allow_unicode=True))
    assert pack_files.read_pack(copied).version == pack_files.load_pack(SHIPPED.stem).version
    content["rules"][4]["threshold"] = "5401"
    copied.write_text(yaml.safe_dump(content, allow_unicode=True))
    assert pack_files.read_pack(copied).version != pack_files.load_pack(SHIPPED.stem).version


def rule_of(content, rule_id):
    return next(rule for rule in content["rules"] if rule["rule_id"] == rule_id)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda c: c.update(surprise=1), "surprise"),
        (lambda c: c.pop("unit"), "unit"),
        (lambda c: c.update(quantum=0.01), "quantum"),
        (lambda c: c.update(courses=["party20", "party20"]), "party20 stands twice"),
        (lambda c: c["rules"].append(copy.deepcopy(c["rules"][0])), "SW23.WINDOW.LIVE stands twice"),
        (lambda c: c["rules"].pop(4), "exactly one ACCRUAL"),
        (lambda c: c["rules"].pop(3), "exactly one CONVERSION"),
        (lambda c: rule_of(c, "SW23.PARTY20").update(threshold=5400), "threshold"),
        (lambda c: rule_of(c, "SW23.PARTY20").update(threshold="1e3"), "threshold"),
        (lambda c: rule_of(c, "SW23.PARTY20").pop("amount"), "a ACCRUAL rule needs it"),
        (lambda c: rule_of(c, "SW23.PARTY20").pop("source"), "source"),
        (lambda c: rule_of(c, "SW23.PARTY20").update(confidence="B"), "an ACTIVE pack needs a source"),
        (lambda c: rule_of(c, "SW23.PARTY20").update(select={"courses": ["no_such"]}), "unknown course no_such"),
        (
            lambda c: rule_of(c, "SW23.PARTY20").update(select={"courses": ["party20"], "all_but": ["party20"]}),
            "not both",
        ),
        (lambda c: rule_of(c, "SW23.TOTAL").update(minimum="6"), "has no use for it"),
        (lambda c: rule_of(c, "SW23.TOTAL").update(cap="6.001"), "cap"),
        (lambda c: (c.update(quantum="0.50"), rule_of(c, "SW23.TOTAL").update(cap="6.25")), "no multiple"),
        (
            lambda c: rule_of(c, "SW23.WINDOW.LIVE").update(begins_at="2023-04-01T00:00:00+08:00"),
            "ends before it begins",
        ),
        (lambda c: rule_of(c, "SW23.WINDOW.LIVE").update(begins_at="2022-12-02T00:00:00"), "begins_at"),
        (lambda c: c.update(valid_from="2024-01-01"), "ends before it begins"),
        (lambda c: c.update(id="another"), "calls itself another"),
    ],
)
def test_a_faulty_pack_is_refused_and_the_fault_named(tmp_path, change, complaint):
    content = copy.deepcopy(read_yaml(SHIPPED).content)
    change(content)
    path = tmp_path / SHIPPED.name
    path.write_text(yaml.safe_dump(content, allow_unicode=True))
    with pytest.raises(YamlError, match=complaint):
        pack_files.read_pack(path)


HANDOVER = {
    "rule_id": "GX.HANDOVER",
    "kind": "HANDOVER",
    "per": "YEAR",
    "seasons": ["smartedu-2023-winter"],
    "hour_type": "",
    "training_form": "远程培训",
    "text": {"zh": "暑期寒假研修学时计入远程培训", "en": "Season hours are remote training"},
    "source": {"ref": "made for the test"},
    "confidence": "b",
}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda c: None, ""),
        (lambda c: rule_of(c, "GX.HANDOVER").pop("seasons"), "a HANDOVER rule needs it"),
        (lambda c: rule_of(c, "GX.HANDOVER").pop("source"), "source"),
        (lambda c: rule_of(c, "GX.HANDOVER").update(training_form="游学"), "unknown category 游学"),
        (lambda c: rule_of(c, "GX.HANDOVER").update(cap="1"), "has no use for it"),
        (lambda c: c["rules"].append({**HANDOVER, "rule_id": "GX.AGAIN"}), "smartedu-2023-winter stands twice"),
        (lambda c: c["rules"].remove(rule_of(c, "GX.CONV")), "needs a CONVERSION"),
    ],
)
def test_a_rule_of_handing_over_names_its_seasons_and_what_they_become(tmp_path, change, complaint):
    content = yaml.load((pack_files.PACKS / "guangxi-2016.yaml").read_text(encoding="utf-8"), yaml.BaseLoader)
    content["rules"].append(copy.deepcopy(HANDOVER))
    change(content)
    path = tmp_path / "guangxi-2016.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    if complaint:
        with pytest.raises(YamlError, match=complaint):
            pack_files.read_pack(path)
        return
    rule = pack_files.read_pack(path).handover_of("smartedu-2023-winter")
    assert (rule.rule_id, rule.training_form) == ("GX.HANDOVER", "远程培训")
    assert pack_files.read_pack(path).handover_of("smartedu-2026-summer") is None


def test_seasons_that_shipped_packs_take_over_are_shipped_seasons():
    packs = [pack_files.load_pack(pack_id) for pack_id in pack_files.list_packs()]
    named = {season for pack in packs if isinstance(pack, LedgerPack) for rule in pack.rules for season in rule.seasons}
    assert named <= {pack.pack_id for pack in packs if isinstance(pack, SeasonPack)}


def test_an_unknown_pack_is_named():
    with pytest.raises(pack_files.UnknownPackError, match="no-such-pack"):
        pack_files.load_pack("no-such-pack")
    # A name is a name, never a path.
    with pytest.raises(pack_files.UnknownPackError):
        pack_files.load_pack("../packs/smartedu-2023-winter")
