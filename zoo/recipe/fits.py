"""What does not fit together though each part is right by itself: losses, sizes, rows, samplers, settings, scales."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from zoo.errors import did_you_mean
from zoo.hub.frontmatter import KeyPath
from zoo.losses import LOSSES, innermost, is_sized, nested, sizes
from zoo.plurals import how_many
from zoo.recipe.dataset import Dataset
from zoo.recipe.family import Scale
from zoo.recipe.found import Found, in_words
from zoo.recipe.settings import unfit_settings
from zoo.recipe.training import DataUse, Phase, Train

Sized = tuple[str, Phase, list[int]]
"""A phase's name, the phase, and the dims of the recipe that it belongs to."""

MARKS = 2  # tokens that stand around every text
HIGHEST_RATE = 0.01


def order_mistake(dims: Sequence[int]) -> str | None:
    """The reason why a list of sizes is none; None when it is one."""
    if not dims:
        return "is empty; leave it out, for the recipe's"
    right = sorted(set(dims), reverse=True)
    return None if dims == right else f"'{dims}' are not in decreasing order; write {right}"


# ---- A loss, its wrappers and the rows that it reads


def loss_mistakes(loss: Any, name: str, dataset: Dataset) -> Found:
    """Mistakes in a loss that reads the dataset of this name; places from the loss on."""
    if problem := _wrapped_wrong(loss):
        yield (), problem
    chain = nested(loss)
    for depth, one in enumerate(chain):
        if is_sized(one):
            yield from _of_sizes(one, ("inner",) * depth)
    yield from _misfit(chain[-1], ("inner",) * (len(chain) - 1), name, dataset)


def _of_sizes(loss: Any, at: KeyPath) -> Found:
    if loss.dims is not None and (problem := order_mistake(loss.dims)):
        yield (*at, "dims"), problem
    weights = loss.given().get("weights")
    if weights is not None and len(weights) != len(loss.dims or ()):
        have = f"dims have {how_many(len(loss.dims), 'size')}" if loss.dims else "`dims` are not beside them"
        yield (
            (*at, "weights"),
            f"{how_many(len(weights), 'weight')}, and {have}; write one for each of dims, in their order",
        )


def _wrapped_wrong(loss: Any) -> str | None:
    chain = nested(loss)
    types = [one.type for one in chain]
    sized = [one.type for one in chain if is_sized(one)]
    layered = [one.type for one in chain if LOSSES[one.type].by_layer]
    inner = innermost(loss)
    for several, what in ((sized, "sizes"), (layered, "layers")):
        if len(several) > 1:
            told = f"loss '{several[1]}' stands inside of '{several[0]}', which trains {what} already"
            return f"{told}; write the innermost loss there: '{inner.type}'"
    if sized and layered and types.index(sized[0]) < types.index(layered[0]):
        what = f"loss '{layered[0]}' stands inside of '{sized[0]}', which would hide the layers from it"
        return f"{what}; write '{layered[0]}' around '{sized[0]}'"
    if layered and LOSSES[inner.type].cached:
        what = f"loss '{inner.type}' computes its gradients after '{layered[0]}' is done with the layers"
        return f"{what}; write '{inner.type.removeprefix('cached_')}' there"
    if sized and (not LOSSES[inner.type].any_size or inner.given().get("projection_dim")):
        what = f"loss '{inner.type}' has parameters as wide as the model, and '{sized[0]}' cuts embeddings"
        way = f"it without '{sized[0]}'" if not inner.given().get("projection_dim") else "it without 'projection_dim'"
        return f"{what}; write {way}"
    return None


def _misfit(inner: Any, at: KeyPath, name: str, dataset: Dataset) -> Found:
    needs, has = LOSSES[inner.type], dataset.label[1].type if dataset.label else None
    least, most = needs.texts
    if not least <= len(dataset.texts) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        what = f"loss '{inner.type}' reads {wanted} text columns, dataset '{name}' has {len(dataset.texts)}"
        yield (), f"{what}; {_columns_hint(name, len(dataset.texts) > most)}"
        return
    if has != needs.label:
        what = f"loss '{inner.type}' reads {_label(needs.label)}, dataset '{name}' has {_label(has)}"
        fitting = [one for one in LOSSES if _reads(one, dataset)]
        yield (), f"{what}; " + (f"losses that read it: {in_words(fitting)}" if fitting else "see `zoo ls --losses`")
        return
    classes = len(dataset.label[1].names or []) if dataset.label else 0
    wanted = inner.given().get("num_labels", classes)
    if needs.classes not in (None, classes):
        what = f"loss '{inner.type}' reads {needs.classes} classes, dataset '{name}' has {classes}"
        yield (), f"{what}; make them {needs.classes} with `names` and `values` in recipes/datasets/{name}.yaml"
    if needs.label == "class" and wanted != classes:
        what = f"'{wanted}', and dataset '{name}' has {classes} classes"
        yield (*at, "num_labels"), f"{what}; write num_labels: {classes}"


def _columns_hint(name: str, too_many: bool) -> str:
    place = f"recipes/datasets/{name}.yaml"
    return f"leave columns out in {place}" if too_many else f"add a column in {place}, or choose another loss"


def _reads(loss: str, dataset: Dataset) -> bool:
    """True when a loss reads the dataset's columns by itself."""
    needs, has = LOSSES[loss], dataset.label[1].type if dataset.label else None
    least, most = needs.texts
    wraps = "inner" in needs.options.model_fields
    classes = len(dataset.label[1].names or []) if dataset.label else 0
    fits = needs.label == has and needs.classes in (None, classes)
    return not wraps and fits and least <= len(dataset.texts) <= most


def _label(kind: str | None) -> str:
    return f"a {kind} column" if kind else "no label"


def prompt_mistakes(use: DataUse, dataset: Dataset) -> Found:
    """Prompts for columns that are no texts of the dataset; places from `prompts` on."""
    for column in use.prompts:
        if column not in dataset.texts:
            near = did_you_mean(column, dataset.texts) or f"texts: {in_words(dataset.texts)}"
            yield (column,), f"dataset '{use.dataset}' has no text column '{column}'; {near}"


# ---- Sizes: what losses train, what the recipe promises, how wide the model is


def width_mistakes(phases: Sequence[Sized], width: int) -> Iterator[tuple[int, str]]:
    """Phases, by their number, that train sizes which the model lacks, or choose by one which the recipe lacks."""
    for number, (name, phase, dims) in enumerate(phases):
        for index, use in enumerate(phase.data):
            wide = [size for size in sizes(use.loss, dims) or [] if size > width and size not in dims]
            if wide:
                what = f"phase '{name}' trains size '{wide[0]}', and the model is {width} wide"
                place = f"phases.{name}.data.{index}.loss.dims"
                yield number, f"{what}; lower {place} in family.yaml, or leave them out for the recipe's"
        if (dim := phase.best.dim) and dim not in dims:
            what = f"phase '{name}' chooses its best by size '{dim}', and the recipe has {in_words(dims)}"
            yield number, f"{what}; write one of these in phases.{name}.best.dim in family.yaml, or leave it out"


def untrained(dims: Sequence[int], width: int, phases: Sequence[Sized]) -> tuple[list[int], list[int], str | None]:
    """The sizes among `dims` that no loss trains, all that are trained, and the last phase with a loss at sizes.

    Args:
        phases: of the recipe and its parents, oldest first. A phase with sizes undoes those of the phases before it.
    """
    trained, last = {width}, None
    for name, phase, own in phases:
        found = [sizes(use.loss, own) for use in phase.data]
        if any(one is not None for one in found):
            trained, last = set(), name
        trained |= {size for one in found for size in one or [width]}
    kept = sorted(trained, reverse=True)
    return [dim for dim in dims if dim not in trained and dim <= width], kept, last


def size_mistake(dims: Sequence[int], width: int, phases: Sequence[Sized], what: str, place: str) -> str | None:
    """The reason why a recipe may not promise its sizes, since a card must list none that was not trained.

    Args:
        what: the recipe, for people, e.g. "variant 'hybrid'".
        place: where its own list of sizes would be written.
    """
    lacking, trained, last = untrained(dims, width, phases)
    if not lacking:
        return None
    left = [dim for dim in dims if dim in trained] or [size for size in trained if size <= width]
    told = f"'{in_words(lacking)}' of {what} {'is' if len(lacking) == 1 else 'are'} not trained"
    if last is None:
        around = "{type: matryoshka, inner: …} around a loss"
        return f"{told}: no phase has a loss at several sizes; write dims: {left} in {place}, or {around}"
    at = next(
        f"phases.{name}.data.{index}.loss.dims"
        for name, phase, _ in phases
        if name == last
        for index, use in enumerate(phase.data)
        if sizes(use.loss, []) is not None
    )
    why = f"the last phase with sizes, '{last}', has {in_words(trained)}"
    return f"{told}: {why}; write dims: {left} in {place}, or put them into {at}"


# ---- Settings, with the losses and rows that they are for


def setting_mistakes(phase: Phase, datasets: Mapping[str, Dataset]) -> Found:
    """Mistakes in a phase's `train` that show beside its datasets and losses; places from the phase on."""
    train = phase.train
    known = {use.dataset: datasets[use.dataset] for use in phase.data if use.dataset in datasets}
    if train.sampler == "group_by_label":
        yield from _group_mistakes(train, known)
    alone = [use.loss for use in phase.data if train.batch_size < LOSSES[innermost(use.loss).type].least_rows]
    if alone:
        name = innermost(alone[0]).type
        what = f"'{train.batch_size}': loss '{name}' compares a row with the others of its batch"
        yield ("train", "batch_size"), f"{what}; write {LOSSES[name].least_rows} or more"
    scored = next((name for name, dataset in datasets.items() if is_scored(dataset)), "a dataset with scores")
    yield from unfit_settings(phase, scored)
    if train.eval_steps is not None and phase.dev is None:
        what = "there is no `dev` to evaluate on"
        yield ("train", "eval_steps"), f"{what}; add dev: {scored}, or write save_steps"
    if problem := length_mistake(train.max_seq_length):
        yield ("train", "max_seq_length"), problem


def length_mistake(tokens: int) -> str | None:
    """The reason why a length leaves nothing of a text; None when it does not."""
    if tokens > MARKS:
        return None
    return f"'{tokens}' tokens are those that mark begin and end of a text; write 8 or more"


def _group_mistakes(train: Train, datasets: Mapping[str, Dataset]) -> Found:
    """Mistakes that sentence-transformers' GroupByLabelBatchSampler raises when it is made, or scores as labels."""
    for name, dataset in datasets.items():
        has = dataset.label[1].type if dataset.label else None
        if has != "class":
            what = f"'group_by_label' needs a class column, dataset '{name}' has {_label(has)}"
            yield ("train", "sampler"), f"{what}; write batch, or no_duplicates"
    if train.batch_size < 4 or train.batch_size % 2:
        right = max(4, train.batch_size + train.batch_size % 2)
        what = f"'{train.batch_size}': sampler 'group_by_label' takes an even number from 4 on"
        yield ("train", "batch_size"), f"{what}; write {right}"


def setting_doubts(train: Train) -> Found:
    """Settings of a phase with which it may teach nothing; places from its `train` on."""
    if train.learning_rate > HIGHEST_RATE:
        what = f"'{train.learning_rate:.10g}' is above {HIGHEST_RATE}, where transformers unlearn what they know"
        yield ("learning_rate",), f"{what}; 2.0e-5 is usual"


def rows_mistakes(rows: Mapping[Any, int]) -> Found:
    """Mistakes in the numbers of rows of splits; places from `rows` on."""
    for split, count in rows.items():
        if count == 1:
            why = "nothing to be compared with" if split == "train" else "no correlation"
            yield (split,), f"'1': one row has {why}; write 100 or more"


def is_scored(dataset: Dataset) -> bool:
    """True when a dataset can be `dev`: pairs of texts with scores."""
    return dataset.label is not None and dataset.label[1].type == "score" and len(dataset.texts) == 2


def is_of_triplets(dataset: Dataset) -> bool:
    """True when a dataset can be `dev` by accuracy: an anchor, a text that is to be near to it, and one that is not."""
    return dataset.label is None and len(dataset.texts) == 3


def dev_mistakes(phase: Phase, datasets: Mapping[str, Dataset]) -> Found:
    """Mistakes in what a phase chooses its best checkpoint by: columns and metric; places from the phase on."""
    assert phase.dev
    dataset, metric = datasets[phase.dev], phase.best.metric
    fitting = [name for name, one in datasets.items() if is_scored(one)]
    if is_of_triplets(dataset):
        if metric != "accuracy":
            other = f", or name one with scores: {in_words(fitting)}" if fitting else ""
            what = f"dataset '{phase.dev}' is of triplets, which have no {metric}"
            yield ("dev",), f"{what}; write best: {{metric: accuracy}} beside it{other}"
    elif not is_scored(dataset):
        scores = dataset.label and dataset.label[1].type == "score"
        why = "is not of two texts and a score" if scores else "has no score column"
        way = f"datasets that have: {in_words(fitting)}" if fitting else "leave `dev` out"
        yield ("dev",), f"dataset '{phase.dev}' {why}, by which the best checkpoint is chosen; {way}"
    elif metric == "accuracy":
        what = f"'accuracy' is of triplets, and dev '{phase.dev}' is of pairs with scores"
        yield ("best", "metric"), f"{what}; write spearman or pearson, or leave it out"


def weight_mistakes(phase: Phase) -> Found:
    """Mistakes in the weights of a phase's datasets; places from the phase on."""
    weights = [use.weight for use in phase.data]
    if len(weights) == 1 and weights[0]:
        yield ("data", 0, "weight"), "weighs nothing beside others; take it out, or add another dataset"
    elif None in weights and any(weights):
        yield ("data", weights.index(None)), "has no weight, and others have one; give each one, or none"
    elif all(weights) and phase.train.mix == "round_robin":
        what = "'round_robin' takes as many batches of each dataset, whatever their weights"
        yield ("train", "mix"), f"{what}; write proportional, or take the weights out"


# ---- Scales: settings that are right alone, laid over phases that are


def scale_mistakes(scale: Scale, phases: Mapping[str, Phase], datasets: Mapping[str, Dataset]) -> Found:
    """Mistakes that a scale makes in phases that have none as they are written; places from the scale on."""
    told: set[tuple[KeyPath, str]] = set()
    for name, phase in phases.items():
        laid = scale.train | scale.phases.get(name, {})
        before = set(setting_mistakes(phase, datasets))
        for (_, key), problem in dict.fromkeys(_laid_over(phase, laid, datasets)):
            found = (_place(scale, name, str(key)), problem)
            if (("train", key), problem) in before or found in told or found[0] == ("train", "eval_steps"):
                continue  # the `eval_steps` of all phases are for those with a dev
            told.add(found)
            yield found


def _place(scale: Scale, phase: str, key: str) -> KeyPath:
    """The place where a scale sets a key of a phase, or else the place that changes what the key must fit to."""
    own = scale.phases.get(phase, {})
    return ("train", key) if key in scale.train and key not in own else ("phases", phase, key) if own else ("train",)


def _laid_over(phase: Phase, settings: Mapping[str, Any], datasets: Mapping[str, Dataset]) -> Found:
    try:
        train = Train.model_validate({**phase.train.model_dump(), **settings})
    except ValidationError:  # each setting is told alone
        return
    yield from setting_mistakes(phase.model_copy(update={"train": train}), datasets)
