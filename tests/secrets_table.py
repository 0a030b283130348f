"""Texts with a secret of every kind in every dress, and texts that only look as if: `test_secrets.py` measures them.

Every body is random, drawn at run time, and put together from parts, so that no scanner takes this file for a leak.
"""

from __future__ import annotations

import base64
import json
import random
import string
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

LOWER, UPPER, DIGITS = string.ascii_lowercase, string.ascii_uppercase, string.digits
ALNUM = string.ascii_letters + DIGITS
SAFE = ALNUM + "-_"
HEX = DIGITS + "abcdef"
BASE64 = ALNUM + "+/"


@dataclass(frozen=True)
class Example:
    """A text, and the secret in it; '' when it has none."""

    name: str
    text: str
    secret: str = ""


class Draw:
    """Random bodies, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def __call__(self, length: int, alphabet: str = ALNUM) -> str:
        while True:  # a token of letters alone is too rare to be an example
            made = "".join(self._random.choices(alphabet, k=length))
            if length < 8 or any(char in DIGITS for char in made):
                return made

    def uuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def jwt(self) -> str:
        parts = [{"alg": "HS256", "typ": "JWT"}, {"sub": self(10), "iat": 1716239022}]
        head = ".".join(base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in parts)
        return f"{head}.{self(43, SAFE)}"

    def block(self, lines: int) -> str:
        return "\n".join(self(64, BASE64) for _ in range(lines))


def tokens(draw: Draw) -> dict[str, str]:
    """Return {kind: a token that tells by its own beginning what it is}."""
    return {
        "hugging face": "hf_" + draw(34),
        "hugging face organisation": "api_" + "org_" + draw(34),
        "hugging face oauth": "hf_" + "oauth_" + draw(40, SAFE),
        "aws id": "AKIA" + draw(16, UPPER + "234567"),
        "aws temporary id": "ASIA" + draw(16, UPPER + "234567"),
        "aws bedrock": "ABSK" + draw(109, ALNUM),
        "github personal": "ghp_" + draw(36),
        "github oauth": "gho_" + draw(36),
        "github user": "ghu_" + draw(36),
        "github server": "ghs_" + draw(36),
        "github refresh": "ghr_" + draw(76),
        "github fine-grained": "github_" + "pat_" + draw(22) + "_" + draw(59),
        "gitlab": "glpat-" + draw(20, SAFE),
        "groq": "gsk_" + draw(52),
        "replicate": "r8_" + draw(37),
        "npm": "npm_" + draw(36),
        "sendgrid": "SG." + draw(22, SAFE) + "." + draw(43, SAFE),
        "slack bot": "xoxb-" + draw(12, DIGITS) + "-" + draw(13, DIGITS) + "-" + draw(24),
        "slack app": "xapp-1-" + draw(11, UPPER + DIGITS) + "-" + draw(13, DIGITS) + "-" + draw(64, HEX),
        "slack webhook": "https://hooks.slack"
        + f".com/services/T{draw(8, UPPER + DIGITS)}/B{draw(10, UPPER + DIGITS)}/{draw(24)}",
        "discord webhook": "https://discord" + f".com/api/webhooks/{draw(18, DIGITS)}/{draw(68, SAFE)}",
        "telegram bot": draw(10, "123456789") + ":AA" + draw(33, SAFE),
        "openai": "sk-" + draw(20) + "T3BlbkFJ" + draw(20),
        "openai project": "sk-" + "proj-" + draw(74, SAFE) + "T3BlbkFJ" + draw(74, SAFE),
        "openai service": "sk-" + "svcacct-" + draw(58, SAFE) + "T3BlbkFJ" + draw(58, SAFE),
        "anthropic": "sk-" + "ant-api03-" + draw(93, SAFE) + "AA",
        "openrouter": "sk-" + "or-v1-" + draw(64, HEX),
        "google": "AIza" + draw(35, SAFE),
        "google oauth": "GOCSPX-" + draw(28, SAFE),
        "pypi": "pypi-" + "AgEIcHlwaS5vcmc" + draw(70, SAFE),
        "stripe": "sk_" + "live_" + draw(24),
        "pinecone": "pcsk_" + draw(6) + "_" + draw(63),
        "perplexity": "pplx-" + draw(48),
        "fireworks": "fw_" + draw(24),
        "xai": "xai-" + draw(80),
        "nvidia": "nvapi-" + draw(64, SAFE),
        "langsmith": "lsv2_" + "pt_" + draw(32, HEX) + "_" + draw(10, HEX),
        "tavily": "tvly-" + draw(32),
        "databricks": "dapi" + draw(32, HEX),
        "digitalocean": "dop_" + "v1_" + draw(64, HEX),
        "linear": "lin_" + "api_" + draw(40),
        "notion": "ntn_" + draw(46),
        "vault": "hvs." + draw(95, SAFE),
        "jwt": draw.jwt(),
    }


def assigned(draw: Draw) -> dict[str, tuple[str, str]]:
    """Return {kind: (name, value)} of secrets that only the name beside them tells."""
    return {
        "aws secret": ("aws_secret_access_key", draw(40, BASE64)),
        "aws secret in capitals": ("AWS_SECRET_ACCESS_KEY", draw(40, BASE64)),
        "aws secret, camel": ("SecretAccessKey", draw(40, BASE64)),
        "aws secret, spelt awsSecretKey": ("awsSecretKey", draw(40, BASE64)),
        "aws session token": ("AWS_SESSION_TOKEN", "IQoJ" + "b3JpZ2luX2Vj" + draw(200, BASE64)),
        "wandb": ("WANDB_API_KEY", draw(40, HEX)),
        "cohere": ("COHERE_API_KEY", draw(40)),
        "kaggle": ("KAGGLE_KEY", draw(32, HEX)),
        "azure account key": ("AccountKey", draw(86, BASE64) + "=="),
        "azure openai": ("AZURE_OPENAI_API_KEY", draw(32, HEX)),
        "comet": ("COMET_API_KEY", draw(25)),
        "together": ("TOGETHER_API_KEY", draw(64, HEX)),
        "mistral": ("MISTRAL_API_KEY", draw(32)),
        "old pinecone": ("PINECONE_API_KEY", draw.uuid()),
        "voyage": ("VOYAGE_API_KEY", "pa-" + draw(43, SAFE)),
        "google client": ("client_secret", draw(24, SAFE)),
        "neptune": ("NEPTUNE_API_TOKEN", draw(130, ALNUM) + "=="),
        "password": ("DB_PASSWORD", draw(16, ALNUM + "!#%^*")),
        "django": ("SECRET_KEY", draw(50, LOWER + DIGITS + "!@#%^*(-_=+)")),
        "clearml": ("secret_key", draw(50)),
        "auth token": ("auth_token", draw(40, SAFE)),
        "datadog": ("DD_API_KEY", draw(32, HEX)),
    }


def _notebook(line: str) -> str:
    cell = {"cell_type": "code", "source": [f"{line}\n", "print('ready')"], "outputs": [], "metadata": {}}
    return json.dumps({"cells": [cell], "nbformat": 4, "nbformat_minor": 5, "metadata": {}})


def _escaped(text: str) -> str:
    """Return what a Markdown editor makes of it."""
    return "".join(f"\\{char}" if char in "_*" else char for char in text)


TOKEN_DRESSES: dict[str, Callable[[str], str]] = {
    "plain": lambda token: f"Here it is: {token} and nothing more.",
    "markdown-escaped": lambda token: f"Use {_escaped(token)} for now.",
    "in backticks": lambda token: f"run it with `{token}`.",
    "split by a line end": lambda token: f"my key is {token[: len(token) * 2 // 3]}\n{token[len(token) * 2 // 3 :]}\n",
    "in a paragraph": lambda token: f"> my key is {token[:-12]}\n> {token[-12:]}\n> and so on\n\nMore.",
    "split by a continuation": lambda token: f'TOKEN="{token[:-9]}\\\n{token[-9:]}"',
    "json": lambda token: json.dumps({"model": "x", "token": token}),
    "yaml": lambda token: f"env:\n  token: {token}\n",
    "env": lambda token: f"A=1\nTOKEN={token}\n",
    "notebook": lambda token: _notebook(f'login(token="{token}")'),
    "login": lambda token: f'from huggingface_hub import login\nlogin(token="{token}")\n',
    "export": lambda token: f"export TOKEN={token} && python train.py",
    "bearer": lambda token: f'curl -H "Authorization: Bearer {token}" https://api.example.com/v1',
    "query": lambda token: f"https://api.lab.dev/v1/models?token={token}&page=2",
    "in an address": lambda token: f"git clone https://omar:{token}@huggingface.co/lab/model",
    "arabic": lambda token: f"استخدم المفتاح{token}، ثم احذفه",
    "table": lambda token: f"| key | {token} |",
    "html": lambda token: f"<code>{token}</code>",
    "non-breaking": lambda token: f"key:\u00a0{token}\u200b",
}

ASSIGNED_DRESSES: dict[str, Callable[[str, str], str]] = {
    "python": lambda name, value: f'{name} = "{value}"',
    "environ": lambda name, value: f"os.environ['{name}'] = '{value}'",
    "json": lambda name, value: json.dumps({"region": "eu", name: value}),
    "yaml": lambda name, value: f"settings:\n  {name}: {value}\n",
    "env": lambda name, value: f"A=1\n{name}={value}\nB=2\n",
    "export": lambda name, value: f"export {name}='{value}'",
    "notebook": lambda name, value: _notebook(f'{name} = "{value}"'),
    "notebook magic": lambda name, value: _notebook(f"%env {name}={value}"),
    "markdown-escaped": lambda name, value: f"{_escaped(name)}={_escaped(value)}",
    "split by a line end": lambda name, value: f'{name} = "{value[:-7]}\\\n{value[-7:]}"',
    "dockerfile": lambda name, value: f"ENV {name} {value}",
    "command line": lambda name, value: f"train --{name.lower().replace('_', '-')} {value} --epochs 3",
    "ini": lambda name, value: f"[default]\n{name} = {value}\n",
}

_SKIPPED = {  # what nobody writes so
    ("slack webhook", "in an address"),
    ("discord webhook", "in an address"),
    ("vault", "query"),
    ("django", "env"),
    ("django", "yaml"),
    ("django", "ini"),
    ("django", "command line"),
    ("django", "dockerfile"),
    ("django", "notebook magic"),
    ("password", "markdown-escaped"),
    ("django", "markdown-escaped"),
}


def _of_their_own(draw: Draw) -> Iterator[Example]:
    """Secrets that come in one dress."""
    wandb = draw(40, HEX)
    yield Example("wandb.login", f'wandb.login(key="{wandb}")', wandb)
    yield Example("wandb.login, positional", f"wandb.login('{wandb}')", wandb)
    yield Example("wandb login", f"!wandb login {wandb}", wandb)
    yield Example("wandb login --relogin", f"wandb login --relogin {wandb}", wandb)
    yield Example("netrc", f"machine api.wandb.ai\n  login user\n  password {wandb}\n", wandb)
    key = draw(25)
    yield Example("comet", f'comet_ml.init(api_key="{key}")', key)
    yield Example("comet experiment", f"Experiment(\n    api_key='{key}',\n    project_name='x')", key)
    kaggle = draw(32, HEX)
    yield Example("kaggle.json", json.dumps({"username": "omar", "key": kaggle}), kaggle)
    cohere = draw(40)
    yield Example("cohere client", f"co = cohere.Client('{cohere}')", cohere)
    together = draw(64, HEX)
    yield Example("together client", f'client = Together(api_key="{together}")', together)
    bearer = draw(64, HEX)
    yield Example("bearer, hexadecimal", f'headers = {{"Authorization": "Bearer {bearer}"}}', bearer)
    bearer = draw(40, SAFE)
    yield Example("bearer, in yaml", f"authorization: Bearer {bearer}", bearer)
    basic = base64.b64encode(f"omar:{draw(24)}".encode()).decode()
    yield Example("basic", f"curl -H 'Authorization: Basic {basic}' https://hub.lab.dev", basic)
    yield Example("x-api-key", f'curl -H "x-api-key: {key}{key}" https://api.lab.dev', key + key)
    yield Example("curl -u", f"curl -u omar:{kaggle} https://api.lab.dev/v1", kaggle)
    azure = draw(86, BASE64) + "=="
    yield Example(
        "azure connection string",
        f"DefaultEndpointsProtocol=https;AccountName=lab;AccountKey={azure};EndpointSuffix=core.windows.net",
        azure,
    )
    sas = draw(43, ALNUM) + "%3D"
    yield Example("azure sas", f"https://lab.blob.core.windows.net/c/m.bin?sv=2023-01-03&sp=r&sig={sas}", sas)
    service_bus = draw(43, BASE64) + "="
    yield Example(
        "azure service bus",
        f"Endpoint=sb://lab.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey={service_bus}",
        service_bus,
    )
    signature = draw(64, HEX)
    yield Example("generic query", f"https://data.lab.dev/get?id=3&api_key={signature}", signature)
    ours = "hf_" + draw(34)
    yield Example("hugging face, load_dataset", f'load_dataset("lab/x", use_auth_token="{ours}")', ours)
    yield Example("hugging face, command line", f"huggingface-cli login --token {ours}", ours)
    yield Example("hugging face, positional", f"notebook_login('{ours}')", ours)
    npmrc = draw.uuid()
    yield Example("npmrc", f"//registry.npmjs.org/:_authToken={npmrc}", npmrc)
    yield Example("pypirc", f"[pypi]\nusername = omar\npassword = {key}\n", key)
    yield Example("docker config", json.dumps({"auths": {"ghcr.io": {"auth": basic}}}), basic)


def _connections(draw: Draw) -> Iterator[Example]:
    password = draw(16)
    for scheme, rest in {
        "postgres": "db.lab.dev:5432/scores",
        "postgresql": "10.0.3.7/scores",
        "postgresql+psycopg2": "db.lab.dev/scores",
        "mongodb+srv": "cluster0.ab1cd.mongodb.net/?retryWrites=true",
        "mysql": "db.lab.dev:3306/x",
        "amqp": "mq.lab.dev:5672/v",
        "ftp": "files.lab.dev/",
        "https": "hub.lab.dev/x.git",
    }.items():
        yield Example(f"connection, {scheme}", f"URL={scheme}://omar:{password}@{rest}", password)
    yield Example("connection, redis", f"redis://:{password}@cache.lab.dev:6379/0", password)
    hard = draw(10) + "!x$" + draw(4)
    yield Example("connection, signs", f"postgres://omar:{hard}@db.lab.dev/x", hard)
    yield Example("connection, short", f"mysql://root:{(short := draw(7))}@db.lab.dev/x", short)
    yield Example("connection, json", json.dumps({"dsn": f"mongodb://omar:{password}@db.lab.dev/x"}), password)
    yield Example("connection, odbc", f"Server=db.lab.dev;Database=x;User Id=omar;Password={password};", password)
    yield Example("connection, dsn", f"host=db.lab.dev user=omar password={password} dbname=x", password)


def _private_keys(draw: Draw) -> Iterator[Example]:
    for kind in ("RSA ", "EC ", "OPENSSH ", "DSA ", "ENCRYPTED ", ""):
        body = draw.block(6)
        key = f"-----BEGIN {kind}" + f"PRIVATE KEY-----\n{body}\n-----END {kind}PRIVATE KEY-----\n"
        name = f"private key, {kind.strip() or 'PKCS8'}"
        yield Example(name, key, body[70:100])
        yield Example(f"{name}, json", json.dumps({"private_key": key}), body[70:100])
        yield Example(f"{name}, notebook", _notebook(f"KEY = {key!r}"), body[70:100])
        yield Example(f"{name}, indented", key.replace("\n", "\n    "), body[70:100])
    body = draw.block(8)
    pgp = "-----BEGIN PGP " + f"PRIVATE KEY BLOCK-----\n\n{body}\n=aB3d\n-----END PGP PRIVATE KEY BLOCK-----"
    yield Example("private key, PGP", pgp, body[70:100])
    yield Example("private key, json, PGP", json.dumps({"key": pgp}), body[70:100])
    putty = "PuTTY-User-Key-" + f"File-3: ssh-ed25519\nEncryption: none\nPrivate-Lines: 1\n{draw(48, BASE64)}\n"
    yield Example("private key, PuTTY", putty, putty[-20:-1])
    age = "AGE-SECRET-" + "KEY-1" + draw(58, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L")
    yield Example("private key, age", f"# created\n{age}\n", age)


def positives(seed: int = 1) -> list[Example]:
    """Return texts that each have one secret: every kind, in every dress that it may wear."""
    draw = Draw(seed)
    found = [*_of_their_own(draw), *_connections(draw), *_private_keys(draw)]
    for dress, put in TOKEN_DRESSES.items():
        for kind, token in tokens(draw).items():
            if (kind, dress) not in _SKIPPED and not (kind.endswith("webhook") and dress in ("query", "json")):
                found.append(Example(f"{kind}, {dress}", put(token), token))
    for dress, name_it in ASSIGNED_DRESSES.items():
        for kind, (name, value) in assigned(draw).items():
            if (kind, dress) not in _SKIPPED:
                found.append(Example(f"{kind}, {dress}", name_it(name, value), value))
    return found


def look_alikes(seed: int = 1) -> list[Example]:
    """Return texts without a secret, of the kinds that repositories of models are full of."""
    draw = Draw(seed + 1000)
    sha, git, short = draw(64, HEX), draw(40, HEX), draw(8, HEX)
    image = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(draw(1200), "ascii")).decode()
    texts = {
        "uuid": f"id: {draw.uuid()}",
        "uuid as key": f'"key": "{draw.uuid()}"',
        "sha256": f'"sha256": "{sha}"',
        "sha256 of a file": f"{sha}  model.safetensors",
        "sha256 prefix": f"digest: sha256:{sha}",
        "git id": f"revision: {git}",
        "git id, python": f'revision="{git}"',
        "git id, address": f"https://huggingface.co/lab/x/resolve/{git}/model.safetensors",
        "git blob": f'{{"oid": "{git}", "size": 7}}',
        "lfs pointer": f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha}\nsize 132\n",
        "xet hash": f'"xetHash": "{sha}"',
        "etag": f'ETag: "{draw(32, HEX)}-12"',
        "md5": f"md5 = '{draw(32, HEX)}'",
        "cache key": f'cache_key = "{sha}"',
        "key of a receipt": f'"key": "{sha}"',
        "digest": f'"digest": "{sha[:32]}"',
        "pip hash": f"torch==2.8.0 \\\n    --hash=sha256:{sha} \\\n    --hash=sha256:{draw(64, HEX)}\n",
        "npm integrity": f'"integrity": "sha512-{draw(86, BASE64)}=="',
        "subresource": f'<script src="x.js" integrity="sha384-{draw(64, BASE64)}">',
        "ssh fingerprint": f"SHA256:{draw(43, BASE64)}",
        "ssh public key": f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA{draw(44, BASE64)} omar@lab",
        "certificate": "-----BEGIN CERTIFICATE-----\n" + draw.block(5) + "\n-----END CERTIFICATE-----",
        "public key": "-----BEGIN PUBLIC KEY-----\n" + draw.block(5) + "\n-----END PUBLIC KEY-----",
        "base64 image": f"![plot](data:image/png;base64,{image})",
        "data uri, html": f'<img src="data:image/svg+xml;base64,{draw(600, BASE64)}" alt="x">',
        "notebook image": json.dumps({"outputs": [{"data": {"image/png": image}}]}),
        "notebook cell id": json.dumps({"cells": [{"cell_type": "code", "id": short, "source": ["x = 1"]}]}),
        "colab": json.dumps({"metadata": {"colab": {"provenance": [], "authorship_tag": "ABX9TyN" + draw(24)}}}),
        "hf_ in prose": "All names that begin with hf_ belong to huggingface_hub; tokens begin with hf_ too.",
        "hf_hub_download": "from huggingface_hub import hf_hub_download, hf_hub_url, hf_raise_for_status",
        "long identifier": "hf_transformersmodelconfigurationloader = 1",
        "long constant": "HF_HUB_ENABLE_HF_TRANSFER=1 HF_HUB_DISABLE_IMPLICIT_TOKEN=1",
        "camel identifier": "sk-learnClassificationReportWithConfidenceIntervals",
        "css class": '<div class="sk-estimator-doc-link sk-toggleable__label-arrow-container fitted">',
        "placeholder xxx": 'login(token="hf_' + "x" * 34 + '")',
        "placeholder short": "HF_TOKEN=hf_xxx python train.py",
        "placeholder stars": "export WANDB_API_KEY=" + "*" * 40,
        "placeholder dots": "OPENAI_API_KEY=sk-...",
        "placeholder words": "HF_TOKEN=hf_your_token_here_replace_me_please_now",
        "placeholder angle": "export HF_TOKEN=<your-hugging-face-token-goes-here>",
        "placeholder capitals": 'api_key = "YOUR_OPENAI_API_KEY_GOES_HERE"',
        "placeholder counted": "token: hf_" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + "12345678",
        "shell variable": 'curl -H "Authorization: Bearer $HF_TOKEN" https://huggingface.co/api/whoami-v2',
        "shell variable, braces": "git clone https://omar:${HF_TOKEN}@huggingface.co/lab/x",
        "shell variable, default": "export HF_TOKEN=${HF_TOKEN:-$(cat ~/.cache/huggingface/token)}",
        "actions": "HF_TOKEN: ${{ secrets.HF_TOKEN }}",
        "actions, long": "password: ${{ secrets.PYPI_API_TOKEN_OF_THE_RELEASE_ACCOUNT }}",
        "os.environ": 'token = os.environ["HF_TOKEN"]',
        "os.getenv": 'api_key = os.getenv("AZURE_OPENAI_API_KEY_FOR_EVALUATION")',
        "userdata": "wandb.login(key=userdata.get('WANDB_API_KEY'))",
        "attribute": "token=self.config.huggingface_authentication_token2",
        "call": "auth_token = get_authentication_token_from_keyring(account_name=2)",
        "jinja": "password: {{ vault_database_password_of_production1 }}",
        "terraform": "secret_key = var.aws_secret_access_key_of_production_2",
        "example aws": "AKIA" + "IOSFODNN7EXAMPLE",
        "example aws secret": "aws_secret_access_key = " + "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY",
        "example openai": "client = OpenAI(api_key='sk-" + "your-api-key-here-1234')",
        "example github": "ghp_" + "x" * 36,
        "example slack": "https://hooks.slack" + ".com/services/T00000000/B00000000/" + "X" * 24,
        "example telegram": "TOKEN = '" + "123456789:" + "ABCDEF_your_bot_token_here_xxxxxxxxxx'",
        "example jwt": "Authorization: Bearer <JWT>",
        "example address": "postgres://user:password@localhost:5432/db",
        "example address, names": "postgresql://postgres:postgres@db/app and redis://:secret@cache:6379",
        "example address, variable": "mongodb+srv://<username>:<password>@cluster0.mongodb.net",
        "example git": "https://USERNAME:TOKEN@huggingface.co/lab/x",
        "address without password": "git@huggingface.co:lab/model.git and https://omar@hub.lab.dev/x",
        "address with port": "http://127.0.0.1:7860/run?x=a@b.c and docker.io/lab/x:1.2@sha256:" + sha,
        "address with a handle": "https://medium.com:443/@omar/what-is-an-embedding-" + draw(12, HEX),
        "arabic": "المفتاح: كلمة السر هي الكلمة التي لا يعرفها أحد غيرك password: كلمة_المرور_الطويلة_جدا",
        "arabic tokens": "token: استخدم رمز الوصول الخاص بك من صفحة الإعدادات",
        "special tokens": '"pad_token": "<|extra_token_padding_0000000012|>", "bos_token": "[unused12345678901234]"',
        "unused token": '"mask_token": "unused_token_placeholder_000123abcdef9"',
        "tokens counted": "max_new_tokens = 12345678901234567890",
        "tokens, long": "num_tokens: 1048576, tokens_per_second: 123456.789012345678",
        "tokenizer class": '"tokenizer_class": "PreTrainedTokenizerFastWithOffsets2"',
        "vocabulary": json.dumps({f"##{draw(5, LOWER)}": number for number in range(200)}),
        "merges": "\n".join(f"{draw(4, LOWER)} {draw(6, LOWER)}" for _ in range(200)),
        "byte-level vocabulary": json.dumps({"Ġ" + draw(9): number for number in range(100)}, ensure_ascii=False),
        "base64 vocabulary": "\n".join(f"{base64.b64encode(draw(9).encode()).decode()} {n}" for n in range(200)),
        "safetensors index": json.dumps(
            {"weight_map": {f"encoder.layer.{n}.attention.self.key.weight": "model-1.safetensors" for n in range(60)}}
        ),
        "key layer": "self.key_proj.weight: torch.Size([768, 768]) api_key_proj_bias_initializer_range = 0.02",
        "verifyToken": f"    verified: true\n    verifyToken: {draw.jwt()}\n",
        "verifyToken, quoted": f'  "verifyToken": "{draw.jwt()}"',
        "verifyToken, eval results": f"- dataset:\n    id: lab/x\n  value: 76.1\n  verifyToken: {draw.jwt()}\n",
        "verifyToken, folded": f"    verifyToken: >-\n      {draw.jwt()}\n",
        "eval results token": f"- dataset:\n    id: a/b\n  verify_token: {draw.jwt()}\n",
        "arXiv": "arXiv:2407.21139, https://arxiv.org/abs/2407.21139v3",
        "DOI": "doi:10.18653/v1/2024.findings-emnlp.1234 https://doi.org/10.48550/arXiv.2407.21139",
        "bibtex": "@inproceedings{reimers-2019-sentence-bert-embeddings-using-siamese, key = {a}}",
        "hub id": "model: Omartificial-Intelligence-Space/Arabic-Triplet-Matryoshka-V2",
        "hub id, key": "access_key: sentence-transformers/paraphrase-multilingual-mpnet-base-v2",
        "spaces address": "https://omartificial-intelligence-space-arabic-embeddings-2024.hf.space/api/predict",
        "tracking address": f"https://wandb.ai/lab/arabic/runs/{draw(8, LOWER + DIGITS)}?nw=nwuseromar",
        "run id": f"wandb: Run data is saved locally in wandb/run-20240701_{draw(8, LOWER + DIGITS)}",
        "commit list": "\n".join(f"- {draw(40, HEX)} better scores" for _ in range(20)),
        "public read only": f"dsn={'https://' + draw(32, HEX)}@o4501.ingest.sentry.io/12",
        "google analytics": "gtag('config', 'G-" + draw(10, UPPER + DIGITS) + "');",
        "colour table": "colours = ['#" + "', '#".join(draw(6, HEX) for _ in range(40)) + "']",
        "numbers": "embedding = [" + ", ".join("0." + draw(16, DIGITS) for _ in range(40)) + "]",
        "random text": "\n".join(" ".join(draw(5, LOWER) for _ in range(9)) for _ in range(60)),
        "password in prose": "Password: you find it in the settings of your account, under Access Tokens.",
        "password field": '<input type="password" name="password" autocomplete="current-password">',
        "type hints": "def login(token: str | None = None, password: Optional[SecretStrWithDefault] = None) -> None:",
        "docstring": "token: Authentication-token-of-the-user, or None to take the saved one.",
        "secret name": "secret: projects/lab/secrets/huggingface-token/versions/latest1",
        "file of a key": "private_key: /home/omar/.ssh/id_ed25519_of_the_lab_2024",
        "key in yaml": "primary_key: sentence_identifier_column_2024_final",
        "sort key": "sort_key = 'cosine_similarity_at_dimension_768'",
        "slug": "auth: none\ncollection: lab/arabic-embeddings-" + draw(24, HEX),
        "bearer in prose": "Authorization: Bearer authentication is described in the documentation of the hub.",
        "npm name": "npm_config_registry and npm_package_dependencies_sentence_transformers",
        "telegram-like time": "2024-07-01T12:30:45: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AIza in prose": "Google's keys begin with AIza and are 39 characters long.",
        "eyJ in prose": "a JSON web token begins with eyJ, for example eyJhbGciOi...",
        "private key in prose": "A file that begins with `-----BEGIN PRIVATE KEY-----` must not be published.",
        "private key, cut": "-----BEGIN RSA " + "PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----",
        "nonce": '<script nonce="' + draw(24) + '">',
        "csrf": '{"shape": [1, 768], "dtype": "F32", "data_offsets": [0, 3072]}',
        "seed": f"seed: {draw(18, DIGITS)}",
        "dataset fingerprint": f'"_fingerprint": "{draw(16, HEX)}", "download_checksums": {{"x": "{sha}"}}',
        "kernel": "sk-0123456789 SK-0001-2024-Arabic-NLI-Triplets-of-the-Lab",
        "path": f"/root/.cache/huggingface/hub/models--lab--x/snapshots/{git}/config.json",
        "blob path": f"~/.cache/huggingface/hub/models--lab--x/blobs/{sha}",
        "gist": f"https://gist.github.com/omar/{draw(32, HEX)}",
        "query digest": f"https://files.lab.dev/x.whl#sha256={sha}",
        "query page token": "https://hub.lab.dev/api/models?cursor=eyJfaWQiOiI2NGY%3D&limit=20",
        "badge": "https://codecov.io/gh/lab/x/branch/main/graph/badge.svg?token=" + draw(10, UPPER + DIGITS),
    }
    return [Example(name, text) for name, text in texts.items()]


def vendors(seed: int = 1) -> list[Example]:
    """Return secrets of more vendors and in more places; no other scanner was measured on these."""
    draw = Draw(seed + 2000)
    token, other, password = "hf_" + draw(34), draw(40), draw(14)
    key = "-----BEGIN " + f"PRIVATE KEY-----\n{draw.block(9)}\n-----END PRIVATE KEY-----\n"
    account = json.dumps({"type": "service_account", "private_key": key})
    texts = {
        "azure sas": (f"https://lab.blob.core.windows.net/c/m.bin?sig={draw(43)}%3D&sv=2022-11-02", ""),
        "gcp file": (json.dumps({"type": "service_account", "private_key": key}, indent=2), key.splitlines()[2]),
        "gcp base64": (f"GCP_SA_KEY={(made := base64.b64encode(account.encode()).decode())}", made),
        "kubeconfig": (f"client-key-data: {(made := base64.b64encode(key.encode()).decode())}", made),
        "kubernetes": (f"data:\n  value: {(made := base64.b64encode(token.encode()).decode())}", made),
        "npmrc": (f"_auth={(made := base64.b64encode(f'omar:{password}'.encode()).decode())}", made),
        "pip.conf": (f"index-url = https://omar:{password}@pypi.lab.dev/simple", password),
        "docker login": (f"docker login -u omar -p {password} ghcr.io", password),
        "sshpass": (f"sshpass -p '{password}' ssh omar@lab.dev", password),
        "netrc": (f"machine huggingface.co login omar password {token}", token),
        "ansible": (f"ansible_ssh_pass: {password}", password),
        "maven": (f"<username>omar</username><password>{password}</password>", password),
        "xml": (f"<apiKey>{other}</apiKey>", other),
        "gradio": (f"demo.launch(auth=('admin', '{password}'))", password),
        "weaviate": (f'AuthApiKey("{other}")', other),
        "wandb host": (f"wandb login --host=https://wandb.lab.dev {(made := draw(40, HEX))}", made),
        "algolia": (f"ALGOLIA_ADMIN_KEY={(made := draw(32, HEX))}", made),
        "aws in words": (f"AWS Secret Access Key: {other}", other),
        "key in words": (f"my API key: {other}", other),
        "okta": (f"Authorization: SSWS {other}", other),
        "runpod": ("rpa" + f"_{(made := draw(40, UPPER + DIGITS) + draw(6, LOWER + DIGITS))}", made),
        "tailscale": ("tskey" + f"-auth-{(made := draw(16) + '-' + draw(32))}", made),
        "html, hexadecimal": (f"<p>hf&#x5f;{token[3:]}</p>", token[3:]),
        "html, decimal": (f"<p>hf&#95;{token[3:]}</p>", token[3:]),
        "html, quotes": (f"token=&quot;{other}&quot;", other),
        "percent": (f"https://lab.dev/?t=hf%5F{token[3:]}", token[3:]),
        "percent, user": (f"https://omar%3A{token}@huggingface.co/x", token),
        "percent, json": (f"?config=%7B%22token%22%3A%20%22{token}%22%7D", token),
        "mark of direction": (f"{token[:9]}\u200f{token[9:]}", ""),
        "variation selector": (f"{token[:9]}\ufe0f{token[9:]}", ""),
    }
    return [Example(name, text, secret) for name, (text, secret) in texts.items()]


def look_alikes_of_vendors(seed: int = 1) -> list[Example]:
    """Return texts without a secret, of the kinds that `vendors` has."""
    draw = Draw(seed + 3000)
    texts = {
        "docker run": "docker run -p 7860:7860 -e HF_TOKEN=$HF_TOKEN lab/app:latest",
        "docker login": "echo $TOKEN | docker login -u omar --password-stdin ghcr.io",
        "docker variable": "docker login -u omar -p ${{ secrets.DOCKERHUB_TOKEN_2024 }}",
        "certificate, base64": "certificate-authority-data: "
        + base64.b64encode(b"-----BEGIN CERTIFICATE-----\n" + draw(400).encode()).decode(),
        "sentence, base64": base64.b64encode("هذه جملة عربية طويلة للاختبار".encode()).decode(),
        "element": '<span class="token">embeddings1And2More3Words</span> <password>your-password-here</password>',
        "auth": "demo.launch(auth=('admin', 'password'))",
        "auth, variable": "demo.launch(auth=[(os.environ['DEMO_USER'], os.environ['DEMO_PASSWORD_2024'])])",
        "pass": "two_pass: second-pass-over-the-corpus, max_pass=3, first_pass = run_first_pass_of_2024(x)",
        "percent": "https://ar.wikipedia.org/wiki/%D8%AA%D8%B9%D9%84%D9%85_%D8%A7%D9%84%D8%A2%D9%84%D8%A9?a=%20b%3Dc",
        "html": "<input name=&quot;token&quot; placeholder=&quot;paste-your-access-token-here&quot;>",
        "access key": "access key: see the page of your account; API key: optional, from the settings",
        "file": f"https://drive.google.com/file/d/{draw(33, SAFE)}/view and ?id={draw(33, SAFE)}&confirm=t",
        "widget": json.dumps({"_model_name": "PasswordModel", "style": "IPY_MODEL_" + draw(32, HEX)}),
        "assets": f"https://github.com/user-attachments/assets/{draw.uuid()}",
        "action": f"uses: actions/checkout@{draw(40, HEX)}",
    }
    return [Example(name, text) for name, text in texts.items()]
