"""The XML of a form: a tab of ours put in or taken out, everything else left as it is."""

from __future__ import annotations

import uuid
import xml.etree.ElementTree as ET

TAB = "rapport"
ROWS = 24  # height of the web resource, in rows of the form
_WEB_RESOURCE = "{9FDF5F91-88B1-47f4-AD53-C11EFC01A01D}"  # class of the control that shows a page
_IDS = uuid.UUID("5b1d3a52-6a0c-4b7e-8f6e-0d8a0f0e7c11")
_PARAMETERS = {
    "PassParameters": "true",
    "Security": "false",
    "Scrolling": "auto",
    "Border": "false",
    "ShowOnMobileClient": "true",
}


def with_tab(form: str, page: str, language: int) -> str:
    """The form with a tab at its end that shows the web resource `page`; one of ours that is there is replaced."""
    root = _without(form)
    tabs = root.find("tabs")
    if tabs is None:
        raise ValueError("the form has no tabs")
    tabs.append(_tab(page, language))
    return ET.tostring(root, encoding="unicode")


def without_tab(form: str) -> str | None:
    """The form without our tab; None if it has none."""
    return ET.tostring(_without(form), encoding="unicode") if has_tab(form) else None


def has_tab(form: str) -> bool:
    """Whether the form has our tab."""
    return any(tab.get("name") == TAB for tab in ET.fromstring(form).iter("tab"))  # noqa: S314  the CRM's own form


def _without(form: str) -> ET.Element:
    root = ET.fromstring(form)  # noqa: S314  the CRM's own form
    for tabs in root.iter("tabs"):
        for tab in [one for one in tabs if one.get("name") == TAB]:
            tabs.remove(tab)
    return root


def _id(part: str) -> str:
    return f"{{{uuid.uuid5(_IDS, f'form/{part}')}}}"


def _labelled(parent: ET.Element, kind: str, language: int, /, **attributes: str) -> ET.Element:
    made = ET.SubElement(parent, kind, attributes)
    ET.SubElement(ET.SubElement(made, "labels"), "label", description="Rapport", languagecode=str(language))
    return made


def _tab(page: str, language: int) -> ET.Element:
    tab = ET.Element(
        "tab", id=_id("tab"), name=TAB, expanded="true", showlabel="true", IsUserDefined="1", locklevel="0"
    )
    ET.SubElement(ET.SubElement(tab, "labels"), "label", description="Rapport", languagecode=str(language))
    column = ET.SubElement(ET.SubElement(tab, "columns"), "column", width="100%")
    section = _labelled(
        ET.SubElement(column, "sections"), "section", language, id=_id("section"), name=TAB, showlabel="false",
        showbar="false", columns="1", IsUserDefined="0", locklevel="0",
    )  # fmt: skip
    rows = ET.SubElement(section, "rows")
    cell = _labelled(
        ET.SubElement(rows, "row"), "cell", language, id=_id("cell"), showlabel="false", colspan="1",
        rowspan=str(ROWS), auto="false",
    )  # fmt: skip
    control = ET.SubElement(cell, "control", id="WebResource_rapport", classid=_WEB_RESOURCE)
    parameters = ET.SubElement(control, "parameters")
    for name, value in {"Url": page, **_PARAMETERS}.items():
        ET.SubElement(parameters, name).text = value
    for _ in range(ROWS - 1):
        ET.SubElement(rows, "row")
    return tab
