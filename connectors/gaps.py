"""What will be null in every record of a resource, and why: known from its description, before anything is read."""

from collections.abc import Iterator

from connectors.composites import Many
from connectors.fields import FieldSpec
from connectors.protocols.base import WireProtocol
from connectors.reading import RecordReader, absence
from schema.model import OWN_FIELDS, FieldModel, Kind, fields_of
from schema.records import FieldGap, FieldGapReason
from schema.selection import Selection, below, rows_of


def lasting_gaps(reader: RecordReader, wire: WireProtocol) -> Iterator[FieldGap]:
    """The selected fields, and the parts of fields, that no record of the reader's resource can have."""
    resource, selection = reader.resource, reader.selection
    for name in selection:
        model, spec = resource.model.fields.get(name), resource.fields.get(name)
        reason = absence(name, resource.unsupported, resource.unmapped)
        if name == "version" and not wire.version_path:
            reason = FieldGapReason.NOT_SUPPORTED_BY_SYSTEM
        if reason is not None:
            yield FieldGap(path=name, reason=reason)
        elif isinstance(spec, Many) and model is not None:
            yield from _child_gaps(spec, model, rows_of(below(selection, name)))
        elif spec is not None and model is not None and name not in OWN_FIELDS:
            yield from _part_gaps(name, model, spec, below(selection, name))
    yield from reader.extras.lasting_gaps()


def _child_gaps(spec: Many, model: FieldModel, selection: Selection) -> Iterator[FieldGap]:
    models = fields_of(model.type)
    for name in selection:
        path, inner = f"{model.name}.{name}", spec.fields.get(name)
        reason = absence(name, spec.unsupported, spec.unmapped)
        if reason is not None:
            yield FieldGap(path=path, reason=reason)
        elif inner is not None:
            yield from _part_gaps(path, models[name], inner, below(selection, name))


def _part_gaps(path: str, model: FieldModel, spec: FieldSpec, selection: Selection) -> Iterator[FieldGap]:
    if model.kind in (Kind.VALUE, Kind.VALUES):
        for part in selection:
            if part in fields_of(model.type) and spec.part(part) is None:
                yield FieldGap(path=f"{path}.{part}", reason=FieldGapReason.NOT_MAPPED)
