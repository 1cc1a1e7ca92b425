"""What needs the packages of the extra: perceptual hashes, lettering, and scorers of the CLIP family."""

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFont

from generator import raster
from generator.illustrate import conditions, examine, ranking, scorers
from generator.illustrate.finish import Product, finish
from generator.illustrate.making import Made
from generator.illustrate.requests import Request
from generator.illustrate.scorers import Means
from generator.model import Error
from generator.project import Project
from generator.store import Store

pytestmark = pytest.mark.diffusion

LINES = ("Old Mountain", "SHOP", "studio ghost", "The River House", "Copyright 2024", "FOREST", "signature")


@pytest.fixture(scope="module")
def bare(project: Project) -> list[Image.Image]:
    """Some of the project's own pictures and pictograms, without a word on them."""
    some = project.radicals[::6]
    return [raster.image(text, 512) for kind in ("picture", "pictogram") for text in conditions.drawn(project, kind, some)]


def lettered(image: Image.Image, index: int) -> Image.Image:
    """The picture with a line of text near its upper or lower border."""
    made, line = image.copy(), LINES[index % len(LINES)]
    font = ImageFont.load_default(16 + index % 5 * 8)
    at = (20 + index * 7 % 120, 20 + index % 3 * 10 if index % 2 else 430 - index % 3 * 10)
    dark = made.convert("L").getpixel(at) > 128  # type: ignore[operator]
    ImageDraw.Draw(made).text(at, line, "#3a2a1a" if dark else "#f0e8d8", font)
    return made


def test_most_lettering_is_seen_and_hardly_any_where_there_is_none(bare: list[Image.Image]) -> None:
    assert len(bare) == 72
    hits = sum(examine.lettering(lettered(image, index)) >= examine.SIGNS for index, image in enumerate(bare))
    alarms = sum(examine.lettering(image) >= examine.SIGNS for image in bare)
    assert hits >= 0.7 * len(bare)
    assert alarms <= 0.03 * len(bare)
    beads = Image.new("RGB", (512, 512), "white")
    for at in range(100, 400, 40):
        ImageDraw.Draw(beads).circle((at, 256), 15, "brown")
    assert examine.lettering(beads) < examine.SIGNS


def test_texture_is_no_lettering() -> None:
    rough = np.random.default_rng(1).integers(0, 256, (512, 512, 3), dtype=np.uint8)
    assert examine.lettering(Image.fromarray(rough)) < examine.SIGNS
    assert examine.lettering(Image.new("RGB", (512, 512), "red")) == 0


def test_copies_are_alike_and_pictures_are_not(bare: list[Image.Image]) -> None:
    pictures = bare[:36]
    hashes = [examine.phash(image) for image in pictures]
    assert all(len(digits) == 16 for digits in hashes)
    assert sum(other is not None for other in examine.alike(hashes)) <= 1, "but flat ones with one shape in the middle"

    def again(image: Image.Image) -> Image.Image:
        out = io.BytesIO()
        ImageEnhance.Brightness(image).enhance(1.05).save(out, "JPEG", quality=70)
        return Image.open(out)

    copies = [examine.phash(again(image)) for image in pictures]
    assert sum((int(one, 16) ^ int(other, 16)).bit_count() <= examine.NEAR for one, other in zip(hashes, copies, strict=True)) >= 34


def test_everything_is_measured_when_a_picture_is_made(bare: list[Image.Image]) -> None:
    pixels = np.asarray(bare[0], np.float32) / 255
    found = finish(Request(1, "m", "text", "s", "p", "", 1, {}), Made(pixels), {})
    assert isinstance(found, Product)
    assert found.made["measured"].keys() == examine.measures.keys()
    assert found.made["measured"]["phash"] == examine.phash(bare[0])


def test_what_was_not_measured_is_measured_once(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = filled(tmp_path / "candidates", measured=False)
    assert ranking.rank(project, store, [1]) == 1
    found = ranking.read(store, 1)
    assert all(one.measured.keys() == examine.measures.keys() for one in found)
    assert [flag.code for one in found for flag in one.flags].count("duplicate") == 1, "one is there twice"
    monkeypatch.setattr(ranking, "opened", None)
    assert ranking.rank(project, store, [1]) == 0


def filled(root: Path, measured: bool = True) -> Store:
    """Candidates of two prompts; the last picture is the first one again."""
    store = Store(root)
    for index, prompt in enumerate(("a fox", "a fox", "a fox", "an axe", "a fox")):
        image = Image.fromarray(np.random.default_rng(index % 4).integers(0, 256, (8, 8, 3), dtype=np.uint8)).resize((512, 512))
        out = io.BytesIO()
        image.save(out, "PNG")
        known = dict.fromkeys(examine.measures, 0) | {"phash": f"{index:08x}" * 2} if measured else {}
        request = {"prompt": prompt, "seed": index}
        facts = {"radical": 1, "model": "m", "mode": "text", "style": "s", "request": request, "made": {"measured": known}}
        store.add(f"{index:020x}", facts, out.getvalue())
    return store


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny CLIP of random weights."""
    import torch
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor

    from generator.illustrate import tiny

    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("clip")
    tokenizer = tiny._tokenizer()
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_attention_heads": 2, "num_hidden_layers": 2}
    words = {"vocab_size": len(tokenizer), "max_position_embeddings": 77, "eos_token_id": tokenizer.eos_token_id}
    with torch.random.fork_rng():
        torch.manual_seed(5)
        config = CLIPConfig(text_config=sizes | words, vision_config=sizes | {"image_size": 32, "patch_size": 16}, projection_dim=8)
        CLIPModel(config).save_pretrained(folder, safe_serialization=True)
    pixels = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    pixels.save_pretrained(folder)
    CLIPProcessor(pixels, tokenizer).save_pretrained(folder)
    return folder


def reference(folder: Path, store: Store) -> dict[str, float]:
    """The cosine of picture and prompt, by the library's own logits."""
    import torch
    from transformers import CLIPModel, CLIPProcessor

    model, processor = CLIPModel.from_pretrained(folder).eval(), CLIPProcessor.from_pretrained(folder)
    found = {}
    for one in store.candidates():
        image = Image.open(one.path).convert("RGB")
        with torch.inference_mode():
            seen = model(**processor(text=one.request["prompt"], images=image, return_tensors="pt"))
        found[one.key] = float(seen.logits_per_image[0, 0] / model.logit_scale.exp().item())
    return found


@pytest.mark.parametrize("name", ["clip", "pickscore"])
def test_models_of_the_clip_family_give_the_order(project: Project, tmp_path: Path, tiny: Path, name: str) -> None:
    store, means = filled(tmp_path / "candidates"), Means({name: str(tiny)})
    assert ranking.rank(project, store, [1], means) == 1
    expected = reference(tiny, store)
    found = ranking.read(store, 1)
    assert {one.candidate.key: one.scores[name] for one in found} == pytest.approx(expected, abs=2e-5)
    assert len(set(expected.values())) == 4, "the twin has the same score"
    foxes = [one.candidate.key for one in found if one.candidate.request["prompt"] == "a fox"]
    assert [expected[key] for key in foxes] == sorted((expected[key] for key in foxes), reverse=True)
    assert next(one.score for one in found if one.candidate.request["prompt"] == "an axe") == 0.5


def test_scores_are_kept_until_the_weights_change(project: Project, tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(shutil.copytree(tiny, tmp_path / "clip"))
    store, means = filled(tmp_path / "candidates"), Means({"clip": str(folder)})
    ranking.rank(project, store, [1], means)
    before = ranking.path(store, 1).read_bytes()
    loaded: list[str] = []
    monkeypatch.setattr(scorers, "opened", lambda candidate: loaded.append(candidate.key))
    assert ranking.rank(project, store, [1], means) == 0
    assert (loaded, ranking.path(store, 1).read_bytes()) == ([], before)
    monkeypatch.undo()
    (folder / "model.safetensors").touch()
    assert ranking.rank(project, store, [1], means) == 1
    assert json.loads(before)["candidates"] == json.loads(ranking.path(store, 1).read_bytes())["candidates"]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the hub with nothing in it."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def put_into(cache: Path, repo: str, folder: Path) -> None:
    """A folder as a repository in the cache."""
    place, commit = cache / f"models--{repo.replace('/', '--')}", "c" * 40
    (place / "refs").mkdir(parents=True)
    (place / "refs/main").write_text(commit)
    shutil.copytree(folder, place / "snapshots" / commit)


def test_weights_in_the_hubs_cache_are_used_and_nothing_is_downloaded(cache: Path, tiny: Path, tmp_path: Path) -> None:
    assert list(scorers.ready(Means())) == ["legibility"]
    put_into(cache, "yuvalkirstain/PickScore_v1", tiny)
    assert list(scorers.ready(Means())) == ["legibility"], "its words are those of another repository"
    put_into(cache, "laion/CLIP-ViT-H-14-laion2B-s32B-b79K", tiny)
    found = scorers.ready(Means())
    assert list(found) == ["legibility", "clip", "pickscore"]
    store = filled(tmp_path / "candidates")
    for one in store.candidates():
        assert found["clip"].score(one, {}) == found["pickscore"].score(one, {}) == pytest.approx(reference(tiny, store)[one.key], abs=2e-5)


@pytest.fixture
def broken(tmp_path: Path, tiny: Path) -> Path:
    return Path(shutil.copytree(tiny, tmp_path / "broken"))


def test_corrupt_weights_are_said_in_a_line(project: Project, tmp_path: Path, broken: Path) -> None:
    store = filled(tmp_path / "candidates")
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:500])
    with pytest.raises(Error, match=r"broken: has corrupt weights") as caught:
        ranking.rank(project, store, [1], Means({"clip": str(broken)}))
    assert "\n" not in str(caught.value)
    assert not ranking.path(store, 1).exists()


def test_only_safetensors_are_weights(broken: Path) -> None:
    (broken / "model.safetensors").rename(broken / "pytorch_model.bin")
    with pytest.raises(Error, match=r"broken: has no model.safetensors on this machine"):
        scorers.ready(Means({"pickscore": str(broken)}))
