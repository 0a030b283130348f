"""Mistakes that people make in recipes: each is told by `zoo check` with its file, its place, one sentence, a way out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from zoo.errors import RecipeError
from zoo.recipe import Workspace, override

FAMILY = """\
name: Lab
namespace: lab
suite: sts
suites:
  sts: [STS17-ar, STS22-ar]
phases:
  triplets:
    data:
      - {dataset: triplets, loss: {type: matryoshka, inner: {type: mnrl}}}
    train: {epochs: 1, batch_size: 64, sampler: no_duplicates, eval_steps: 100}
    dev: graded
  hybrid:
    data:
      - {dataset: labelled, loss: {type: softmax, num_labels: 3}}
      - {dataset: graded, loss: {type: cosent}}
    train: {epochs: 5, warmup: 0.1}
    dev: graded
  pairs:
    data:
      - {dataset: pairs, loss: mnrl}
scales:
  mini:
    rows: {train: 600, validation: 60}
    train: {max_seq_length: 64}
    phases:
      hybrid: {max_steps: 30}
      pairs: {max_steps: 20}
space:
  repo: demo
  app: similarity
  title: Demo
  variables: {NAME: one}
  secrets: [TOKEN]
"""
BERT = """\
base:
  model: lab/bert
  width: 768
  pooling: mean
dims: [768, 256, 64]
variants:
  matryoshka: {repo: Bert-Matryoshka, phases: [triplets]}
  hybrid:
    repo: Bert-Hybrid
    from: bert-matryoshka
    phases: [hybrid]
"""
E5 = """\
base:
  model: intfloat/multilingual-e5-small
  width: 384
  prompts: {query: "query: ", document: "passage: "}
  default_prompt: query
dims: [384, 128]
variants:
  one: {repo: E5-One, phases: [triplets]}
"""
DATASETS = {
    "triplets": "columns:\n  anchor: {type: text}\n  positive: {type: text}\n  negative: {type: text}\n",
    "pairs": "columns:\n  anchor: {type: text}\n  positive: {type: text}\n",
    "graded": "columns:\n  sentence1: {type: text}\n  sentence2: {type: text}\n  score: {type: score}\n",
    "labelled": (
        "columns:\n  premise: {type: text}\n  hypothesis: {type: text}\n"
        "  label: {type: class, names: [entailment, neutral, contradiction]}\n"
        "release:\n  repo: Labelled\n  title: Labelled\n  summary: Labelled pairs.\n"
    ),
}
FAMILY_FILE, BERT_FILE, E5_FILE = "family.yaml", "bert.yaml", "e5.yaml"
LABELLED, GRADED = "datasets/labelled.yaml", "datasets/graded.yaml"


class Mistake(NamedTuple):
    """An edit of a file, and what is told of it: the line that holds `at`, the key path, the sentence, the way out."""

    file: str
    old: str
    new: str
    at: str
    told: str


MATRYOSHKA = "loss: {type: matryoshka, inner: {type: mnrl}}"
MISTAKES = {
    # A loss and what stands around it
    "matryoshka over softmax": Mistake(
        FAMILY_FILE, "loss: {type: softmax, num_labels: 3}", "loss: {type: matryoshka, inner: {type: softmax, num_labels: 3}}",
        "type: softmax", "phases.hybrid.data.0.loss: loss 'softmax' has parameters as wide as the model, and 'matryoshka' cuts embeddings; write it without 'matryoshka'",
    ),
    "matryoshka in matryoshka": Mistake(
        FAMILY_FILE, MATRYOSHKA, "loss: {type: matryoshka, inner: {type: matryoshka, inner: {type: mnrl}}}",
        "inner: {type: matryoshka", "phases.triplets.data.0.loss: loss 'matryoshka' stands inside of 'matryoshka', which trains sizes already; write the innermost loss there: 'mnrl'",
    ),
    "sizes twice": Mistake(
        FAMILY_FILE, MATRYOSHKA, "loss: {type: matryoshka, inner: {type: mnrl}, dims: [768, 64, 64]}",
        "dims: [768, 64, 64]", "phases.triplets.data.0.loss.dims: '[768, 64, 64]' are not in decreasing order; write [768, 64]",
    ),
    "sizes in another order": Mistake(
        FAMILY_FILE, MATRYOSHKA, "loss: {type: matryoshka, inner: {type: mnrl}, dims: [64, 256]}",
        "dims: [64, 256]", "phases.triplets.data.0.loss.dims: '[64, 256]' are not in decreasing order; write [256, 64]",
    ),
    "no sizes": Mistake(
        FAMILY_FILE, MATRYOSHKA, "loss: {type: matryoshka, inner: {type: mnrl}, dims: []}",
        "dims: []", "phases.triplets.data.0.loss.dims: is empty; leave it out, for the recipe's",
    ),
    "sizes beyond the width": Mistake(
        BERT_FILE, "width: 768", "width: 128",
        "dims: [768", "dims: '768' is wider than the model (128); write [64]",
    ),
    "a loss wider than the model": Mistake(
        FAMILY_FILE, MATRYOSHKA, "loss: {type: matryoshka, inner: {type: mnrl}, dims: [1024, 768, 384, 256, 128, 64]}",
        BERT_FILE + ":matryoshka: {repo", "variants.matryoshka.phases.0: phase 'triplets' trains size '1024', and the model is 768 wide; lower phases.triplets.data.0.loss.dims in family.yaml, or leave them out for the recipe's",
    ),
    "sizes that the loss does not train": Mistake(
        FAMILY_FILE, MATRYOSHKA, "loss: {type: matryoshka, inner: {type: mnrl}, dims: [384, 128]}",
        BERT_FILE + ":dims: [768, 256, 64]", "dims: '768, 256, 64' of variant 'matryoshka' are not trained: the last phase with sizes, 'triplets', has 384, 128; write dims: [384, 128] in variants.matryoshka, or put them into phases.triplets.data.0.loss.dims",
    ),
    "sizes that no loss trains": Mistake(
        BERT_FILE, "phases: [triplets]", "phases: [pairs]",
        "dims: [768, 256, 64]", "dims: '256, 64' of variant 'matryoshka' are not trained: no phase has a loss at several sizes; write dims: [768] in variants.matryoshka, or {type: matryoshka, inner: …} around a loss",
    ),
    "sizes of a variant in another order": Mistake(
        BERT_FILE, "phases: [hybrid]", "phases: [hybrid]\n    dims: [64, 768]",
        "dims: [64, 768]", "variants.hybrid.dims: '[64, 768]' are not in decreasing order; write [768, 64]",
    ),
    "sizes of a variant that its parent did not train": Mistake(
        BERT_FILE, "phases: [hybrid]", "phases: [hybrid]\n    dims: [768, 512]",
        "dims: [768, 512]", "variants.hybrid.dims: '512' of variant 'hybrid' is not trained: the last phase with sizes, 'triplets', has 768, 256, 64; write dims: [768] in variants.hybrid, or put them into phases.triplets.data.0.loss.dims",
    ),
    "layers inside of sizes": Mistake(
        FAMILY_FILE, MATRYOSHKA, "loss: {type: matryoshka, inner: {type: adaptive_layer, inner: mnrl}}",
        "inner: {type: adaptive", "phases.triplets.data.0.loss: loss 'adaptive_layer' stands inside of 'matryoshka', which would hide the layers from it; write 'adaptive_layer' around 'matryoshka'",
    ),
    "layers twice": Mistake(
        FAMILY_FILE, MATRYOSHKA, "loss: {type: adaptive_layer, inner: {type: matryoshka_2d, inner: {type: mnrl}}}",
        "inner: {type: matryoshka_2d", "phases.triplets.data.0.loss: loss 'matryoshka_2d' stands inside of 'adaptive_layer', which trains layers already; write the innermost loss there: 'mnrl'",
    ),
    "sizes and layers around sizes": Mistake(
        FAMILY_FILE, MATRYOSHKA, "loss: {type: matryoshka_2d, inner: {type: matryoshka, inner: {type: mnrl}}}",
        "type: matryoshka_2d", "phases.triplets.data.0.loss: loss 'matryoshka' stands inside of 'matryoshka_2d', which trains sizes already; write the innermost loss there: 'mnrl'",
    ),
    "layers around a loss that caches": Mistake(
        FAMILY_FILE, MATRYOSHKA, "loss: {type: matryoshka_2d, inner: {type: cached_mnrl}}",
        "inner: {type: cached", "phases.triplets.data.0.loss: loss 'cached_mnrl' computes its gradients after 'matryoshka_2d' is done with the layers; write 'mnrl' there",
    ),
    "sizes around a projection": Mistake(
        FAMILY_FILE, MATRYOSHKA, "loss: {type: matryoshka, inner: {type: mse, teacher: {model: lab/t}, projection_dim: 64}}",
        "projection_dim", "phases.triplets.data.0.loss: loss 'mse' has parameters as wide as the model, and 'matryoshka' cuts embeddings; write it without 'projection_dim'",
    ),
    "weights without sizes": Mistake(
        FAMILY_FILE, MATRYOSHKA, "loss: {type: matryoshka, inner: {type: mnrl}, weights: [1, 2, 3]}",
        "weights", "phases.triplets.data.0.loss.weights: 3 weights, and `dims` are not beside them; write one for each of dims, in their order",
    ),
    "fewer weights than sizes": Mistake(
        FAMILY_FILE, MATRYOSHKA, "loss: {type: matryoshka, inner: {type: mnrl}, dims: [768, 256, 64], weights: [1, 2]}",
        "weights", "phases.triplets.data.0.loss.weights: 2 weights, and dims have 3 sizes; write one for each of dims, in their order",
    ),
    "no sizes in a step": Mistake(
        FAMILY_FILE, MATRYOSHKA, "loss: {type: matryoshka, inner: {type: mnrl}, n_dims_per_step: 0}",
        "n_dims", "phases.triplets.data.0.loss.n_dims_per_step: '0': input should be greater than 0",
    ),
    "a distance of no such name": Mistake(
        FAMILY_FILE, MATRYOSHKA, "loss: {type: triplet, distance_metric: cos}",
        "distance_metric", "phases.triplets.data.0.loss.distance_metric: 'cos': input should be 'cosine', 'euclidean' or 'manhattan'",
    ),
    # A guide, a teacher
    "a guide by its id alone": Mistake(
        FAMILY_FILE, "{type: mnrl}", "{type: gist, guide: lab/guide}",
        "guide: lab", "phases.triplets.data.0.loss.inner.guide: 'lab/guide' is the id alone; write {model: lab/guide}, and a revision to pin it",
    ),
    "a guide by its address": Mistake(
        FAMILY_FILE, "{type: mnrl}", "{type: gist, guide: {model: 'https://huggingface.co/lab/guide'}}",
        "huggingface.co", "phases.triplets.data.0.loss.inner.guide.model: 'https://huggingface.co/lab/guide' is no id of a model: those are 'account/name'; did you mean 'lab/guide'?",
    ),
    "a branch of a teacher": Mistake(
        FAMILY_FILE, "{type: mnrl}", "{type: mse, teacher: {model: lab/t, revision: main}}",
        "revision: main", "phases.triplets.data.0.loss.inner.teacher.revision: 'main': a revision is the whole name of a commit: 40 of the characters 0-9 and a-f",
    ),
    "a loss without its guide": Mistake(
        FAMILY_FILE, "{type: mnrl}", "{type: cached_gist}",
        "cached_gist", "phases.triplets.data.0.loss.inner.guide: missing",
    ),
    # A loss and its rows
    "three classes for two": Mistake(
        FAMILY_FILE, "{type: softmax, num_labels: 3}", "{type: contrastive}",
        "contrastive", "phases.hybrid.data.0.loss: loss 'contrastive' reads 2 classes, dataset 'labelled' has 3; make them 2 with `names` and `values` in recipes/datasets/labelled.yaml",
    ),
    "a pair for a triplet": Mistake(
        FAMILY_FILE, "{dataset: pairs, loss: mnrl}", "{dataset: pairs, loss: triplet}",
        "dataset: pairs", "phases.pairs.data.0.loss: loss 'triplet' reads 3 text columns, dataset 'pairs' has 2; add a column in recipes/datasets/pairs.yaml, or choose another loss",
    ),
    "a loss that reads another label": Mistake(
        FAMILY_FILE, "{dataset: graded, loss: {type: cosent}}", "{dataset: graded, loss: {type: mnrl}}",
        "graded, loss", "phases.hybrid.data.1.loss: loss 'mnrl' reads no label, dataset 'graded' has a score column; losses that read it: cosent, angle, cosine",
    ),
    "a loss that reads a label where there is none": Mistake(
        FAMILY_FILE, "{dataset: pairs, loss: mnrl}", "{dataset: pairs, loss: cosent}",
        "dataset: pairs", "phases.pairs.data.0.loss: loss 'cosent' reads a score column, dataset 'pairs' has no label; losses that read it: mse, distil, gist, cached_gist, mnrl, cached_mnrl",
    ),
    "more negatives than a loss reads": Mistake(
        "datasets/triplets.yaml", "  negative: {type: text}\n", "  negative: {type: text}\n  negative2: {type: text}\n",
        FAMILY_FILE + ":dataset: triplets", "phases.triplets.data.0.loss: loss 'mnrl' reads 2 to 3 text columns, dataset 'triplets' has 4; leave columns out in recipes/datasets/triplets.yaml",
    ),
    "another number of classes": Mistake(
        FAMILY_FILE, "num_labels: 3", "num_labels: 2",
        "num_labels", "phases.hybrid.data.0.loss.num_labels: '2', and dataset 'labelled' has 3 classes; write num_labels: 3",
    ),
    "a dataset twice in a phase": Mistake(
        FAMILY_FILE, "{dataset: graded, loss: {type: cosent}}", "{dataset: labelled, loss: {type: softmax, num_labels: 3}}",
        "      - {dataset: labelled, loss: {type: softmax, num_labels: 3}}\n    train", "phases.hybrid.data.1.dataset: 'labelled' stands twice, and only its last loss would train; copy its file in recipes/datasets/ under another name",
    ),
    "rows without a train split": Mistake(
        LABELLED, "source: {dataset: lab/labelled}", "source: {dataset: lab/labelled, splits: {validation: validation}}",
        FAMILY_FILE + ":dataset: labelled", "phases.hybrid.data.0.dataset: 'labelled' has no split 'train'; add train to source.splits in recipes/datasets/labelled.yaml",
    ),
    # Dev
    "dev without a validation split": Mistake(
        GRADED, "source: {dataset: lab/graded}", "source: {dataset: lab/graded, splits: {train: train}}",
        FAMILY_FILE + ":dev: graded", "phases.triplets.dev: 'graded' has no split 'validation'; add validation to source.splits in recipes/datasets/graded.yaml",
    ),
    "dev without a score": Mistake(
        FAMILY_FILE, "dev: graded", "dev: triplets",
        "dev: triplets", "phases.triplets.dev: dataset 'triplets' is of triplets, which have no spearman; write best: {metric: accuracy} beside it, or name one with scores: graded",
    ),
    "dev of pairs without a score": Mistake(
        FAMILY_FILE, "dev: graded", "dev: pairs\n    best: {metric: accuracy}",
        "dev: pairs", "phases.triplets.dev: dataset 'pairs' has no score column, by which the best checkpoint is chosen; datasets that have: graded",
    ),
    "accuracy of pairs": Mistake(
        FAMILY_FILE, "dev: graded", "dev: graded\n    best: {metric: accuracy}",
        "best: {metric", "phases.triplets.best.metric: 'accuracy' is of triplets, and dev 'graded' is of pairs with scores; write spearman or pearson, or leave it out",
    ),
    "a dataset's weight beside nothing": Mistake(
        FAMILY_FILE, "{dataset: pairs, loss: mnrl}", "{dataset: pairs, loss: mnrl, weight: 2}",
        "weight: 2", "phases.pairs.data.0.weight: weighs nothing beside others; take it out, or add another dataset",
    ),
    "a dataset's weight beside none": Mistake(
        FAMILY_FILE, "{dataset: graded, loss: {type: cosent}}", "{dataset: graded, loss: {type: cosent}, weight: 2}",
        "{dataset: labelled", "phases.hybrid.data.0: has no weight, and others have one; give each one, or none",
    ),
    "weights of datasets that take turns": Mistake(
        FAMILY_FILE, "num_labels: 3}}\n      - {dataset: graded, loss: {type: cosent}}\n    train: {",
        "num_labels: 3}, weight: 2}\n      - {dataset: graded, loss: {type: cosent}, weight: 1}\n    train: {mix: round_robin, ",
        "round_robin", "phases.hybrid.train.mix: 'round_robin' takes as many batches of each dataset, whatever their weights; write proportional, or take the weights out",
    ),
    "dev that is nowhere": Mistake(
        FAMILY_FILE, "dev: graded", "dev: grated",
        "dev: grated", "phases.triplets.dev: no dataset 'grated'; did you mean 'graded'?",
    ),
    "a size to choose by that the recipe lacks": Mistake(
        FAMILY_FILE, "dev: graded", "dev: graded\n    best: {dim: 512}",
        BERT_FILE + ":matryoshka: {repo", "variants.matryoshka.phases.0: phase 'triplets' chooses its best by size '512', and the recipe has 768, 256, 64; write one of these in phases.triplets.best.dim in family.yaml, or leave it out",
    ),
    "a score to choose by without rows": Mistake(
        FAMILY_FILE, "loss: mnrl}", "loss: mnrl}\n    best: {metric: pearson}",
        "best:", "phases.pairs.best: there is no `dev` to choose the best by; add a `dev`, or take this out",
    ),
    "one row to choose by": Mistake(
        GRADED, "columns:", "rows: {validation: 1}\ncolumns:",
        "rows:", "rows.validation: '1': one row has no correlation; write 100 or more",
    ),
    "two splits that are one": Mistake(
        GRADED, "source: {dataset: lab/graded}", "source: {dataset: lab/graded, splits: {train: train, validation: train}}",
        "splits", "source.splits.validation: 'train' is our split 'train' too, so models are chosen and measured by rows that they were trained on; write one each, as train[:90%] and train[90%:]",
    ),
    "one row to learn from": Mistake(
        GRADED, "columns:", "rows: {train: 1}\ncolumns:",
        "rows:", "rows.train: '1': one row has nothing to be compared with; write 100 or more",
    ),
    "a part of the split that is trained on": Mistake(
        GRADED, "source: {dataset: lab/graded}", "source: {dataset: lab/graded, splits: {train: train, validation: 'train[:100]'}}",
        "splits", "source.splits.validation: 'train[:100]' has rows of our split 'train', which is 'train', so models are chosen and measured by rows that they were trained on; write one each, as train[:90%] and train[90%:]",
    ),
    "parts that have rows in common": Mistake(
        GRADED, "source: {dataset: lab/graded}", "source: {dataset: lab/graded, splits: {train: 'a+b[:90%]', validation: 'b[80%:]'}}",
        "splits", "source.splits.validation: 'b[80%:]' has rows of our split 'train', which is 'a+b[:90%]', so models are chosen and measured by rows that they were trained on; write one each, as train[:90%] and train[90%:]",
    ),
    "a part that is none": Mistake(
        LABELLED, "source: {dataset: lab/labelled}", "source: {dataset: lab/labelled, splits: {train: 'train[0..100]'}}",
        "splits", "source.splits.train: 'train[0..100]' is no part of a split; write train[:1000], train[:90%], or train+test",
    ),
    "a part without rows": Mistake(
        LABELLED, "source: {dataset: lab/labelled}", "source: {dataset: lab/labelled, splits: {train: 'train[100:50]'}}",
        "splits", "source.splits.train: 'train[100:50]' ends before it begins, so that no row is left; swap its ends",
    ),
    "no split": Mistake(
        "datasets/pairs.yaml", "source: {dataset: lab/pairs}", "source: {dataset: lab/pairs, splits: {}}",
        "splits", "source.splits: is empty; write {train: train}, or whichever splits the source has",
    ),
    # The form of a dataset
    "a column that is its type": Mistake(
        GRADED, "score: {type: score}", "score: score",
        "score: score", "columns.score: 'score' where keys and values belong; write {type: score}",
    ),
    "columns in a list": Mistake(
        "datasets/pairs.yaml", "  anchor: {type: text}\n  positive: {type: text}", "  - anchor: {type: text}\n  - positive: {type: text}",
        "columns", "columns: '[{'anchor': {'type': 'text'}}, {'positive': {'type': 'text'}}]' where keys and values belong; take out the '-' before its keys",
    ),
    "a source that is its id": Mistake(
        GRADED, "source: {dataset: lab/graded}", "source: lab/graded",
        "source", "source: 'lab/graded' where keys and values belong; write it as {dataset: lab/my-data}",
    ),
    "rows of no split, for all": Mistake(
        GRADED, "columns:", "rows: 1000\ncolumns:",
        "rows", "rows: '1000' where keys and values belong; write it as {train: 1000}",
    ),
    "rows as people write them": Mistake(
        GRADED, "columns:", "rows: {train: 1e5}\ncolumns:",
        "rows", "rows.train: '1e5' is a text for YAML; write 100000",
    ),
    "a config that is a number": Mistake(
        GRADED, "source: {dataset: lab/graded}", "source: {dataset: lab/graded, config: 2024}",
        "source", "source.config: '2024' is a number for YAML; write \"2024\"",
    ),
    "classes that YAML reads": Mistake(
        LABELLED, "[entailment, neutral, contradiction]", "[entailment, no, contradiction]",
        "  label:", "columns.label.names.1: YAML reads this as 'false'; put the word in quotes",
    ),
    "one class": Mistake(
        LABELLED, "[entailment, neutral, contradiction]", "[entailment]",
        "  label:", "columns.label.names: 'entailment' is the only class, and there is nothing to tell it from; name the others too",
    ),
    "classes without names": Mistake(
        LABELLED, ", names: [entailment, neutral, contradiction]", "",
        "  label:", "columns.label: has no classes; add names: [low, high], or whichever they are, in the order of their numbers",
    ),
    "a label before the texts": Mistake(
        GRADED, "  sentence1: {type: text}\n  sentence2: {type: text}\n  score: {type: score}", "  score: {type: score}\n  sentence1: {type: text}\n  sentence2: {type: text}",
        "columns:", "columns: 'score' is a score, and losses read columns in their order, texts first; write it last",
    ),
    "two labels": Mistake(
        GRADED, "  score: {type: score}", "  label: {type: class, names: [a, b]}\n  score: {type: score}",
        "columns:", "columns: 'label' and 'score' are no texts, and losses read one class or score at most; leave the others out",
    ),
    "one end of a scale": Mistake(
        GRADED, "{type: score}", "{type: score, from: 5}",
        "  score:", "columns.score.from: '5': write the two ends: [0, 5]",
    ),
    "a score beyond the scale": Mistake(
        GRADED, "{type: score}", "{type: score, values: {good: 5}}",
        "  score:", "columns.score: values: 'good' becomes '5', which is not from 0 to 1; add from, with the ends of the source's scale",
    ),
    "a step as a key": Mistake(
        GRADED, "columns:", "steps: [not_empty, unique: {normalised: true}]\ncolumns:",
        "steps", "steps.1: missing 'type'; write {type: unique, …}, with its options beside it",
    ),
    "a loss by the name of its class": Mistake(
        FAMILY_FILE, "{dataset: pairs, loss: mnrl}", "{dataset: pairs, loss: MultipleNegativesRankingLoss}",
        "dataset: pairs", "phases.pairs.data.0.loss: no loss 'MultipleNegativesRankingLoss'; did you mean 'mnrl'?",
    ),
    "a loss under another key": Mistake(
        FAMILY_FILE, "{dataset: pairs, loss: mnrl}", "{dataset: pairs, loss: {name: mnrl}}",
        "dataset: pairs", "phases.pairs.data.0.loss: missing 'type'; write type: mnrl",
    ),
    "a repository with its account": Mistake(
        BERT_FILE, "repo: Bert-Hybrid", "repo: lab/Bert-Hybrid",
        "Bert-Hybrid", "variants.hybrid.repo: 'lab/Bert-Hybrid': the name of a repository is made of A-Z, a-z, 0-9, '_', '.' and '-', at most 96 of them; write 'Bert-Hybrid': the account is `namespace`",
    ),
    "a pooling in capitals": Mistake(
        BERT_FILE, "pooling: mean", "pooling: MEAN",
        "pooling", "base.pooling: no pooling 'MEAN'; did you mean 'mean'?",
    ),
    "rows of no split": Mistake(
        LABELLED, "source: {dataset: lab/labelled}", "source: {dataset: lab/labelled, splits: {train: train}}\nrows: {test: 100}",
        "rows:", "rows.test: there is no split 'test' in source.splits; add it there, or take this out",
    ),
    "no text": Mistake(
        "datasets/pairs.yaml", "  anchor: {type: text}\n  positive: {type: text}\n", "  score: {type: score}\n",
        "columns:", "columns: none of them is a text; add one of type text, before the others",
    ),
    # Settings
    "groups without a class": Mistake(
        FAMILY_FILE, "sampler: no_duplicates", "sampler: group_by_label",
        "sampler: group", "phases.triplets.train.sampler: 'group_by_label' needs a class column, dataset 'triplets' has no label; write batch, or no_duplicates",
    ),
    "groups in an odd batch": Mistake(
        FAMILY_FILE, "epochs: 5,", "sampler: group_by_label, batch_size: 9,",
        "batch_size: 9", "phases.hybrid.train.batch_size: '9': sampler 'group_by_label' takes an even number from 4 on; write 10",
    ),
    "nothing to compare a row with": Mistake(
        FAMILY_FILE, "batch_size: 64", "batch_size: 1",
        "batch_size: 1", "phases.triplets.train.batch_size: '1': loss 'mnrl' compares a row with the others of its batch; write 2 or more",
    ),
    "nothing to compare a graded pair with": Mistake(
        FAMILY_FILE, "train: {epochs: 5,", "train: {batch_size: 1,",
        "batch_size: 1", "phases.hybrid.train.batch_size: '1': loss 'cosent' compares a row with the others of its batch; write 2 or more",
    ),
    "evaluation of nothing": Mistake(
        FAMILY_FILE, "    dev: graded\n  hybrid:", "  hybrid:",
        "eval_steps: 100", "phases.triplets.train.eval_steps: there is no `dev` to evaluate on; add dev: graded, or write save_steps",
    ),
    "no room for a word": Mistake(
        FAMILY_FILE, "train: {epochs: 5,", "train: {max_seq_length: 2,",
        "max_seq_length: 2", "phases.hybrid.train.max_seq_length: '2' tokens are those that mark begin and end of a text; write 8 or more",
    ),
    "no room for a word in a base": Mistake(
        BERT_FILE, "width: 768", "width: 768\n  max_seq_length: 1",
        "max_seq_length", "base.max_seq_length: '1' tokens are those that mark begin and end of a text; write 8 or more",
    ),
    "epochs without an end": Mistake(
        FAMILY_FILE, "epochs: 5", "epochs: .inf",
        "epochs: .inf", "phases.hybrid.train.epochs: 'inf': input should be a finite number",
    ),
    "warmup in steps": Mistake(
        FAMILY_FILE, "warmup: 0.1", "warmup: 500",
        "warmup: 500", "phases.hybrid.train.warmup: '500': is a share of the steps, below 1; write 0.1 for the first tenth",
    ),
    "a learning rate without a number": Mistake(
        FAMILY_FILE, "warmup: 0.1", "learning_rate: .inf",
        "learning_rate", "phases.hybrid.train.learning_rate: 'inf': input should be a finite number",
    ),
    "a seed that numpy refuses": Mistake(
        FAMILY_FILE, "warmup: 0.1", "seed: -1",
        "seed: -1", "phases.hybrid.train.seed: '-1': input should be greater than or equal to 0",
    ),
    "a precision that is none": Mistake(
        FAMILY_FILE, "warmup: 0.1", "precision: int8",
        "precision: int8", "phases.hybrid.train.precision: 'int8': input should be 'fp32', 'bf16' or 'fp16'",
    ),
    # A scale, whose settings are right by themselves
    "a scale that leaves nothing to compare": Mistake(
        FAMILY_FILE, "pairs: {max_steps: 20}", "pairs: {batch_size: 1}",
        "pairs: {batch_size: 1}", "scales.mini.phases.pairs.batch_size: '1': loss 'mnrl' compares a row with the others of its batch; write 2 or more",
    ),
    "a scale of one row": Mistake(
        FAMILY_FILE, "rows: {train: 600, validation: 60}", "rows: {train: 600, validation: 1}",
        "validation: 1}", "scales.mini.rows.validation: '1': one row has no correlation; write 100 or more",
    ),
    "a scale that evaluates nothing": Mistake(
        FAMILY_FILE, "pairs: {max_steps: 20}", "pairs: {eval_steps: 5}",
        "pairs: {eval_steps: 5}", "scales.mini.phases.pairs.eval_steps: there is no `dev` to evaluate on; add dev: graded, or write save_steps",
    ),
    "a scale without room for a word": Mistake(
        FAMILY_FILE, "train: {max_seq_length: 64}", "train: {max_seq_length: 2}",
        "max_seq_length: 2", "scales.mini.train.max_seq_length: '2' tokens are those that mark begin and end of a text; write 8 or more",
    ),
    "a scale that takes the place of the recipe": Mistake(
        FAMILY_FILE, "  mini:\n", "  full:\n",
        "  full:", "scales.full: 'full' is the recipe as it is written; give the scale another name",
    ),
    # Suites
    "an empty suite": Mistake(
        FAMILY_FILE, "sts: [STS17-ar, STS22-ar]", "sts: []",
        "sts: []", "suites.sts: is empty, and a mean over no task is none; name a task: `zoo ls --tasks` lists them",
    ),
    "a task twice": Mistake(
        FAMILY_FILE, "STS22-ar]", "STS22-ar, STS17-ar]",
        "sts: [", "suites.sts.2: 'STS17-ar' stands twice, and a mean would count it twice; take one out",
    ),
    "a task that is nowhere": Mistake(
        FAMILY_FILE, "STS22-ar]", "STS22-arr]",
        "STS22-arr", "suites.sts.1: no evaluation task 'STS22-arr'; did you mean 'STS22-ar'?",
    ),
    # Ids and names
    "a builder": Mistake(
        GRADED, "dataset: lab/graded", "dataset: json",
        "dataset: json", "source.dataset: 'json' is what `datasets` reads files with, and no repository; write path: with the files, relative to the recipe, in the place of dataset:",
    ),
    "a file": Mistake(
        GRADED, "dataset: lab/graded", "dataset: data/train.csv",
        "train.csv", "source.dataset: 'data/train.csv' is the name of a file, and no repository; write path: with the files, relative to the recipe, in the place of dataset:",
    ),
    # Sources
    "a file that is not there": Mistake(
        GRADED, "dataset: lab/graded", "path: data/*.csv",
        "path: data", "source.path: no file 'data/*.csv' in 'recipes/datasets'; paths are relative to the recipe: mkdir -p recipes/datasets/data, and put it there",
    ),
    "a kind of file that nobody reads": Mistake(
        GRADED, "dataset: lab/graded", "path: graded.yaml",
        "path: graded", "source.path: 'recipes/datasets/graded.yaml' is of no kind that rows are read from ('.yaml'); name files that end in .jsonl, .ndjson, .json, .csv, .tsv, .tab, .parquet, .arrow, .ipc, .feather, also with .gz, .bz2, .xz, .zst behind",
    ),
    "splits of files": Mistake(
        GRADED, "dataset: lab/graded", "path: {train: ../datasets/graded.yaml}, splits: {train: all}",
        "source: {path", "source.splits: belongs to repositories and datasets; write path: {train: file, test: another}",
    ),
    "a revision of a dataset here": Mistake(
        GRADED, "dataset: lab/graded", f"from: labelled, columns: {{score: label, sentence1: premise, sentence2: hypothesis}}, revision: {'a' * 40}",
        "source: {from", "source.revision: belongs to repositories on the Hub; take it out",
    ),
    "a dataset that is not there": Mistake(
        GRADED, "dataset: lab/graded", "from: labeled",
        "from: labeled", "source.from: no dataset 'labeled'; did you mean 'labelled'?",
    ),
    "a dataset made from itself": Mistake(
        GRADED, "dataset: lab/graded", "from: graded",
        "from: graded", "source.from: is made from itself: 'graded' from 'graded'; name another dataset",
    ),
    "a split that the other dataset lacks": Mistake(
        GRADED, "dataset: lab/graded", "from: labelled, columns: {score: label, sentence1: premise, sentence2: hypothesis}, splits: {train: train, validation: dev, test: test}",
        "source: {from", "source.splits.validation: 'labelled' has no split 'dev'; write splits: {train: train, validation: validation, test: test}",
    ),
    "a column that the other dataset lacks": Mistake(
        GRADED, "dataset: lab/graded", "from: labelled, columns: {score: label, sentence1: premise}",
        "source: {from", "source.columns.sentence2: 'labelled' has no column 'sentence2', which 'sentence2' is read from, but premise, hypothesis, label",
    ),
    "a column of the other dataset that is no text": Mistake(
        GRADED, "dataset: lab/graded", "from: labelled, columns: {score: label, sentence1: premise, sentence2: label}",
        "source: {from", "source.columns.sentence2: 'label' of 'labelled' is a class, and 'sentence2' is a text; name a column of texts",
    ),
    "a column of a source that the recipe lacks": Mistake(
        GRADED, "dataset: lab/graded", "dataset: lab/graded, columns: {scores: label}",
        "source: {dataset", "source.columns.scores: no column 'scores' in columns; did you mean 'score'?",
    ),
    "a weight beside nothing": Mistake(
        GRADED, "dataset: lab/graded", "dataset: lab/graded, weight: 2",
        "source: {dataset", "source.weight: weighs nothing beside others; take it out, or write several sources",
    ),
    "a separator of a repository": Mistake(
        GRADED, "dataset: lab/graded", "dataset: lab/graded, separator: ';'",
        "source: {dataset", "source.separator: belongs to files; take it out",
    ),
    "an address": Mistake(
        GRADED, "dataset: lab/graded", "dataset: https://huggingface.co/datasets/lab/graded",
        "https:", "source.dataset: 'https://huggingface.co/datasets/lab/graded' is no id of a dataset: those are 'account/name'; did you mean 'lab/graded'?",
    ),
    "a path that begins with a home": Mistake(
        BERT_FILE, "model: lab/bert", "model: ~/models/bert",
        "~/models", "base.model: '~/models/bert' begins with a home; write './...', '../...' or '/...'",
    ),
    "a path that is no folder of a model": Mistake(
        BERT_FILE, "model: lab/bert", "model: ./",
        "./", "base.model: './' is no folder of a model; write its path, as './checkpoints/x'",
    ),
    "a revision of a folder": Mistake(
        BERT_FILE, "model: lab/bert", f"model: ./models/bert\n  revision: {40 * 'a'}",
        "base:", "base: revision is a commit of the Hub, and './models/bert' is a folder; take it out",
    ),
    "an origin of what is on the Hub": Mistake(
        BERT_FILE, "model: lab/bert", "model: lab/bert\n  origin: lab/older",
        "base:", "base: origin 'lab/older' is for a model in a folder, and 'lab/bert' is on the Hub; take it out",
    ),
    "a name that the Hub does not take": Mistake(
        BERT_FILE, "repo: Bert-Hybrid", "repo: Bert--Hybrid",
        "Bert--Hybrid", "variants.hybrid.repo: 'Bert--Hybrid': the Hub takes no name with '--' in it; write 'Bert-Hybrid'",
    ),
    "a name that ends as git's do": Mistake(
        BERT_FILE, "model: lab/bert", "model: lab/bert.git",
        "bert.git", "base.model: 'lab/bert.git': the Hub takes no name that ends in '.git'; write 'lab/bert'",
    ),
    "a repository twice": Mistake(
        BERT_FILE, "repo: Bert-Hybrid", "repo: bert-matryoshka",
        "repo: bert-m", "variants.hybrid.repo: 'bert-matryoshka' is the repository of recipe 'bert-matryoshka' too; choose another name",
    ),
    "a repository that is the base model's": Mistake(
        BERT_FILE, "repo: Bert-Hybrid", "repo: Bert",
        "    repo: Bert", "variants.hybrid.repo: 'lab/Bert' is the base model, which would be overwritten; choose another name",
    ),
    "a branch for a revision": Mistake(
        BERT_FILE, "width: 768", "revision: main\n  width: 768",
        "revision", "base.revision: 'main': a revision is the whole name of a commit: 40 of the characters 0-9 and a-f",
    ),
    "a licence of no list": Mistake(
        LABELLED, "repo: Labelled", "license: Apache 2.0\n  repo: Labelled",
        "license", "release.license: 'Apache 2.0': no licence of the Hub's list; did you mean 'apache-2.0'?",
    ),
    "a language that is none": Mistake(
        FAMILY_FILE, "namespace: lab", "language: [arabic]",
        "language", "language.0: 'arabic' is no language code: two or three small letters, as 'ar' or 'arz'; did you mean 'ar'?",
    ),
    "a language twice": Mistake(
        FAMILY_FILE, "namespace: lab", "language: [ar, ar]",
        "language", "language.1: 'ar' stands twice; take one out",
    ),
    "a category that is none": Mistake(
        LABELLED, "repo: Labelled", "task_categories: [text-clasification]\n  repo: Labelled",
        "task_categories", "release.task_categories.0: 'text-clasification' is not in the Hub's list; did you mean 'text-classification'?",
    ),
    "classes of one name": Mistake(
        LABELLED, "neutral, contradiction]", "neutral, neutral]",
        "  label:", "columns.label.names: 'neutral' stands twice; name every class once, in the order of their numbers",
    ),
    "a variable that is a secret": Mistake(
        FAMILY_FILE, "secrets: [TOKEN]", "secrets: [NAME]",
        "secrets", "space.secrets.0: 'NAME' is one of the variables too, which everybody may read; take one out",
    ),
    # Parents
    "a circle of parents": Mistake(
        BERT_FILE, "phases: [triplets]", "from: bert-hybrid, phases: [triplets]",
        "matryoshka: {", "variants.matryoshka.from: 'bert-hybrid' descends from itself: bert-matryoshka -> bert-hybrid -> bert-matryoshka; take one `from` out",
    ),
    "a parent of another base": Mistake(
        BERT_FILE, "from: bert-matryoshka", "from: e5-one",
        "from: e5-one", "variants.hybrid.from: 'e5-one' is made of 'intfloat/multilingual-e5-small', and this file is of 'lab/bert'; put this variant into recipes/e5.yaml",
    ),
    "a phase twice": Mistake(
        BERT_FILE, "phases: [hybrid]", "phases: [hybrid, hybrid]",
        "phases: [hybrid", "variants.hybrid.phases.1: 'hybrid' stands twice, and would be trained once; raise its epochs, or add a phase of another name",
    ),
    "modules without a pooling": Mistake(
        BERT_FILE, "pooling: mean", "modules: [normalize]",
        "base", "base: modules stand behind a pooling, and there is none; a repository brings its own",
    ),
    "an encoder without a pooling": Mistake(
        BERT_FILE, "pooling: mean", "encoder: transformer",
        "base", "base: encoder stands before a pooling, and there is none; write pooling: mean",
    ),
    "a misspelt encoder": Mistake(
        BERT_FILE, "pooling: mean", "pooling: mean\n  encoder: transformers",
        "encoder", "base.encoder: no encoder 'transformers'; did you mean 'transformer'?",
    ),
    "an encoder for code without consent": Mistake(
        BERT_FILE, "pooling: mean", "pooling: mean\n  encoder: custom",
        "encoder", "base.encoder: 'custom' is for a model with code of its own, and there is no consent to any; zoo trust lab/bert, or leave it out",
    ),
    "a default prompt that is none": Mistake(
        E5_FILE, "default_prompt: query", "default_prompt: search",
        "base:", "base: default_prompt 'search' is not one of prompts; one of: document, query",
    ),
    "a role in other words": Mistake(
        E5_FILE, "document:", "passage:",
        "prompts", "base.prompts: 'passage' is no role that libraries look for; did you mean 'document'?",
    ),
    "a misspelt key": Mistake(
        E5_FILE, "default_prompt:", "default_promt:",
        "default_promt", "base.default_promt: unknown key 'default_promt'; did you mean 'default_prompt'?",
    ),
}  # fmt: skip
DOUBTS = {
    "a base that wants a prompt and gets none": Mistake(
        E5_FILE, "  default_prompt: query\n", "",
        "base:", "base.default_prompt: E5 models are made for texts that begin with 'query: ', and training, evaluation and a plain encode would use none; write default_prompt: query",
    ),
    "a base that wants a prompt and has none": Mistake(
        E5_FILE, '  prompts: {query: "query: ", document: "passage: "}\n  default_prompt: query\n', "",
        "base:", 'base.default_prompt: E5 models are made for texts that begin with \'query: \', and training, evaluation and a plain encode would use none; write prompts: {query: "query: ", document: "passage: "} and default_prompt: query',
    ),
    "a base that wants a prompt and gets an empty one": Mistake(
        E5_FILE, 'query: "query: "', 'query: ""',
        "default_prompt", 'base.default_prompt: E5 models are made for texts that begin with \'query: \', and training, evaluation and a plain encode would use none; write prompts: {query: "query: ", document: "passage: "} and default_prompt: query',
    ),
    "a prompt that touches the text": Mistake(
        E5_FILE, '"query: "', '"query:"',
        "prompts", "base.prompts.query: 'query:' ends without a space, so it is read as one with the first word; write \"query: \"",
    ),
    "a learning rate that nobody uses": Mistake(
        FAMILY_FILE, "warmup: 0.1", "learning_rate: 1000000.0",
        "learning_rate", "phases.hybrid.train.learning_rate: '1000000' is above 0.01, where transformers unlearn what they know; 2.0e-5 is usual",
    ),
}  # fmt: skip


LOSS = '@loss("own", texts=(2, 2))\ndef own(model):\n    """Mine."""\n'
TASK = (
    '@task("Own", kind="Retrieval", metric="ndcg_at_10", dataset="lab/own", revision="{}", rows=9)\n'
    'def own(ours):\n    """Mine."""\n'
).format("a" * 40)
PLUGINS = {
    "a label that is none": (
        LOSS, "(2, 2)", '(2, 2), label="scores"',
        "loss 'own' reads a label of kind 'scores'; write label=\"class\" or \"score\"",
    ),
    "columns that are no pair": (
        LOSS, "(2, 2)", "2", "loss 'own' reads texts=2; write how many columns at least and at most: (2, 3)",
    ),
    "more columns at least than at most": (
        LOSS, "(2, 2)", "(3, 2)", "loss 'own' reads texts=(3, 2); write how many columns at least and at most: (2, 3)",
    ),
    "a loss without brackets": (
        LOSS, '("own", texts=(2, 2))', "", "it cannot be imported: TypeError: loss() missing 1 required keyword-only argument: 'texts'",
    ),
    "a step without brackets": (
        LOSS, '@loss("own", texts=(2, 2))', "@step", "the decorator of 'own' has no name; write @step(\"own\")",
    ),
    "a module without brackets": (
        LOSS, '@loss("own", texts=(2, 2))', "@module", "the decorator of 'own' has no name; write @module(\"own\")",
    ),
    "a pooling without brackets": (
        LOSS, '@loss("own", texts=(2, 2))', "@pooling", "the decorator of 'own' has no name; write @pooling(\"own\")",
    ),
    "a depth that mteb does not score": (
        TASK, "ndcg_at_10", "ndcg_at_7",
        "evaluation task 'Own' is scored by 'ndcg_at_7', which has no intervals for Retrieval: (ndcg|map)_at_(1|3|5|10|20|100|1000)",
    ),
    "a metric of another kind": (
        TASK, "ndcg_at_10", "cosine_spearman",
        "evaluation task 'Own' is scored by 'cosine_spearman', which has no intervals for Retrieval: (ndcg|map)_at_(1|3|5|10|20|100|1000)",
    ),
    "rows that are no number": (TASK, "rows=9", 'rows="9"', "evaluation task 'Own' has rows='9'; write how many it evaluates"),
    "data that are no id": (
        TASK, "lab/own", "./own.jsonl", "the data of evaluation task 'Own' are './own.jsonl', which is no id: 'account/name'",
    ),
    "a language that mteb does not know": (
        TASK, "rows=9", 'rows=9, languages=["ar"]', "the language of evaluation task 'Own' is 'ar'; write it as 'ara-Arab'",
    ),
}  # fmt: skip
"""{name: (source, old, new, what is told)}; all of them are told of line 3, where the decorator stands."""


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small workspace without a mistake, the current folder; its recipes."""
    folder = tmp_path / "recipes"
    (folder / "datasets").mkdir(parents=True)
    for name, text in ((FAMILY_FILE, FAMILY), (BERT_FILE, BERT), (E5_FILE, E5)):
        (folder / name).write_text(text, "utf-8")
    for name, columns in DATASETS.items():
        (folder / "datasets" / f"{name}.yaml").write_text(f"source: {{dataset: lab/{name}}}\n{columns}", "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ZOO_WORKSPACE", raising=False)
    return folder


def make(folder: Path, mistake: Mistake) -> str:
    """Make the mistake; returns the file and the line at which it should be told."""
    path = folder / mistake.file
    text = path.read_text("utf-8")
    assert text.count(mistake.old) >= 1
    path.write_text(text.replace(mistake.old, mistake.new, 1), "utf-8")
    file, _, at = mistake.at.rpartition(".yaml:")
    file = f"{file}.yaml" if file else mistake.file
    text = (folder / file).read_text("utf-8")
    return f"recipes/{file}, line {text[: text.index(at.rstrip())].count(chr(10)) + 1}"


def told(err: str) -> list[str]:
    """Every mistake with its file and line, also of files that have several."""
    found, file = [], ""
    for line in err.splitlines():
        if several := re.fullmatch(r"error: \d+ mistakes in (.*)", line):
            file = several[1]
        elif line.startswith("  line "):
            found.append(f"{file}, {line.strip()}")
        elif line.startswith("error: "):
            found.append(line.removeprefix("error: "))
    return found


def test_the_lab_has_no_mistake(lab: Path, zoo: Any) -> None:
    assert zoo("check") == (0, "3 recipes are fine\n", "")


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told(lab: Path, zoo: Any, name: str) -> None:
    mistake = MISTAKES[name]
    where = make(lab, mistake)
    code, out, err = zoo("check")
    assert (code, out) == (1, "")
    assert f"{where}: {mistake.told}" in told(err)
    assert f"hint: edit {where.split(',')[0]}, then `zoo check`" in err.splitlines()


@pytest.mark.parametrize("name", DOUBTS)
def test_a_doubt_is_told_and_is_no_error(lab: Path, zoo: Any, name: str) -> None:
    where = make(lab, DOUBTS[name])
    doubt = f"{where}: {DOUBTS[name].told}"
    assert zoo("check") == (0, "3 recipes are fine\n", f"doubt: {doubt}\n")
    assert json.loads(zoo("check", "--json")[1])["doubts"] == [doubt]


@pytest.mark.parametrize("name", PLUGINS)
def test_a_mistake_in_a_plugin_is_told(lab: Path, zoo: Any, name: str) -> None:
    source, old, new, problem = PLUGINS[name]
    assert old in source
    (lab.parent / "plugins").mkdir()
    head = "from zoo.plugins import loss, module, pooling, step, task\n\n"
    (lab.parent / "plugins" / "own.py").write_text(head + source.replace(old, new), "utf-8")
    code, _, err = zoo("check")
    assert (code, err.splitlines()[0]) == (1, f"error: plugins/own.py, line 3: {problem}")
    assert err.splitlines()[1] == "hint: edit plugins/own.py, then `zoo check`"


def test_all_mistakes_of_all_files_are_told_at_once(lab: Path, zoo: Any) -> None:
    names = ("nothing to compare a row with", "a language twice", "a loss wider than the model", "rows of no split")
    places = [make(lab, MISTAKES[name]) for name in names]
    expected = {f"{place}: {MISTAKES[name].told}" for place, name in zip(places, names, strict=True)}
    assert expected <= set(told(zoo("check")[2]))


@pytest.mark.parametrize(
    "splits",
    [
        "train: 'train[:100]', validation: 'train[100:]'",
        "train: 'train[:80%]', validation: 'train[80%:90%]', test: 'train[90%:]'",
        "train: 'train[:-500]', validation: 'train[-500:]'",
        "train: 'train[1_000:]+validation', validation: 'train[:1_000]'",
        "train: 'train[:10%](pct1_dropremainder)', test: test",
    ],
)
def test_parts_of_splits_without_common_rows_are_right(lab: Path, zoo: Any, splits: str) -> None:
    make(lab, Mistake("datasets/pairs.yaml", "lab/pairs", f"lab/pairs, splits: {{{splits}}}", "source", ""))
    assert zoo("check") == (0, "3 recipes are fine\n", "")


def test_files_in_the_wrong_folder_and_of_the_wrong_name_say_where_to(lab: Path, zoo: Any) -> None:
    (lab / "datasets" / "graded.yaml").rename(lab / "graded.yaml")
    (lab / E5_FILE).rename(lab / "datasets" / "My_E5.yaml")
    code, _, err = zoo("check")
    assert (code, err.splitlines()) == (
        1,
        [
            "error: 'recipes/graded.yaml' is the recipe of a dataset, in the folder of others",
            "hint: mv recipes/graded.yaml recipes/datasets/",
            "error: 'My_E5.yaml' in recipes/datasets/ is no name: a-z, 0-9, '.' and '-' are",
            "hint: rename it to my-e5.yaml",
        ],
    )


def test_a_tab_is_named(lab: Path, zoo: Any) -> None:
    make(lab, Mistake(BERT_FILE, "  width: 768", "\twidth: 768", "width", ""))
    assert zoo("check")[2].splitlines()[-1] == "hint: indent with spaces there, not with tabs"


def test_a_folder_that_libraries_would_take_for_the_hub_is_told(lab: Path, zoo: Any) -> None:
    (lab.parent / "lab" / "bert").mkdir(parents=True)
    [problem] = told(zoo("check")[2])
    assert problem == (
        "recipes/bert.yaml, line 2: base.model: 'lab/bert' is a folder here, and libraries would read that; "
        "rename it, or run zoo in another folder; if that folder is meant, write ./lab/bert"
    )


def test_a_variant_may_have_fewer_sizes_than_its_siblings(lab: Path, zoo: Any) -> None:
    make(lab, MISTAKES["sizes that no loss trains"]._replace(new="phases: [pairs], dims: [768]"))
    (lab / BERT_FILE).write_text(
        (lab / BERT_FILE).read_text("utf-8").replace("hybrid:\n", "hybrid:\n    dims: [768]\n"), "utf-8"
    )
    assert zoo("check")[0] == 0
    assert Workspace(lab.parent).recipe("bert-matryoshka").dims == [768]
    assert Workspace(lab.parent).recipe("e5-one").dims == [384, 128]


@pytest.mark.parametrize(
    ("assignment", "told"),
    [
        ("base.width=1024", "base.width: '1024', and the parent, whose weights it starts from, has '768'; change both"),
        ("datasets.graded.rows={train: 1}", "datasets.graded.rows.train: '1': one row has nothing to be compared with"),
    ],
)
def test_what_is_set_is_held_to_what_files_are(lab: Path, assignment: str, told: str) -> None:
    with pytest.raises(RecipeError) as caught:
        override(Workspace(lab.parent).recipe("bert-hybrid"), [assignment])
    assert caught.value.message.startswith(f"--set: {told}")


def test_a_resolved_recipe_is_held_to_the_same(lab: Path) -> None:
    recipe = Workspace(lab.parent).recipe("bert-hybrid")
    with pytest.raises(RecipeError) as caught:
        override(recipe, ["dims=[768, 100]", "phases.hybrid.train.batch_size=1", "parent.dims=[300]"])
    trained = "the last phase with sizes, 'triplets', has 768, 256, 64"
    assert caught.value.message.splitlines() == [
        "--set: 3 mistakes",
        f"  parent.dims: '300' of 'bert-matryoshka' is not trained: {trained}; write dims: [768, 256, 64] in it, or put them "
        "into phases.triplets.data.0.loss.dims",
        "  phases.hybrid.train.batch_size: '1': loss 'cosent' compares a row with the others of its batch; write 2 or more",
        f"  dims: '100' of 'bert-hybrid' is not trained: {trained}; write dims: [768] in it, or put them into "
        "phases.triplets.data.0.loss.dims",
    ]


def test_dims_that_are_set_are_those_of_the_losses_that_had_the_recipes(lab: Path) -> None:
    changed = override(Workspace(lab.parent).recipe("bert-matryoshka"), ["dims=[768, 32]"])
    assert changed.phases[0].data[0].loss.dims == [768, 32]
