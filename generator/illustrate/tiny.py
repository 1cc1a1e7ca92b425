"""Pipelines with random weights, of the real classes, made in code: tiny ones to run the whole pass, a full-sized one to time it.

Their pictures are noise, but honest noise: seed, prompt, conditioning image and every setting change it.
"""

import fcntl
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from generator.illustrate.causes import imported, written
from generator.illustrate.loading import library
from generator.project import writing

DEMO = "demo-1"
"""Folder of the demo's weights below the scratch folder; another name where other weights are made."""
PART = ".part"
LIMIT = 77
"""Tokens of a prompt that CLIP reads."""
CONTRAST = 0.5
"""Standard deviation of the decoder's output, from -1 to 1: noise that nobody takes for a flat picture."""
ATTENTION = 30.0
DRAWN = 3.0
"""How much more than by chance the prompt counts in the UNet, and the UNet in the picture; else all pictures of a seed look the same."""

TEXT = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2}
UNET = {
    "sample_size": 8,
    "block_out_channels": (32, 64),
    "layers_per_block": 1,
    "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
    "cross_attention_dim": 32,
    "attention_head_dim": 8,
    "norm_num_groups": 16,
}
VAE = {
    "block_out_channels": (16, 16, 32, 32),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 1,
    "latent_channels": 4,
    "norm_num_groups": 8,
    "sample_size": 64,
}
SD15_TEXT = {"hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12, "num_hidden_layers": 12, "vocab_size": 49408}
SD15_UNET = {"sample_size": 64, "cross_attention_dim": 768, "attention_head_dim": 8}
SD15_VAE = {
    "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 2,
    "latent_channels": 4,
    "sample_size": 512,
}
"""The sizes of Stable Diffusion 1.5; the UNet's blocks are the library's own defaults."""


def demo(scratch: Path) -> Path:
    """The folder of a tiny Stable Diffusion pipeline, built there if it is not there yet."""
    folder = scratch.resolve() / DEMO
    if not folder.exists():
        _built(folder, partial(sd, seed=0))
    return folder


def _built(folder: Path, build: Callable[[Path], None]) -> None:
    """A folder as *build* fills it: whole under its name, or not there. Two processes do not build the same one."""
    with writing(folder), _alone(folder.parent):
        for left in folder.parent.glob(f".{folder.name}*{PART}"):
            shutil.rmtree(left)
        if folder.exists():
            return
        part = Path(mkdtemp(prefix=f".{folder.name}-", suffix=PART, dir=folder.parent))
        try:
            with written():
                build(part)
            part.rename(folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """A lock on a folder, which ends with its process: what a build has left there is then from one that was killed."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("ab") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        yield


def sd(folder: Path, seed: int = 1) -> None:
    """Stable Diffusion, 64 × 64 pixels, as its text, img2img and (with a ControlNet) control pipelines load it."""
    with _random(seed) as torch:
        _sd(torch, UNET, VAE, TEXT).save_pretrained(folder)


def sd15(folder: Path, dtype: str = "float16", seed: int = 1) -> None:
    """Stable Diffusion 1.5 in its true size, 512 × 512 pixels: 1.07 billion weights, 2.1 GB in float16."""
    with _random(seed) as torch:
        _sd(torch, SD15_UNET, SD15_VAE, SD15_TEXT).to(getattr(torch, dtype)).save_pretrained(folder)


def guarded(folder: Path, seed: int = 1) -> None:
    """Stable Diffusion with a safety checker that finds fault with every picture, and blanks it."""
    with _random(seed) as torch:
        from diffusers.pipelines.stable_diffusion import StableDiffusionSafetyChecker
        from transformers import CLIPConfig, CLIPImageProcessor

        checker = StableDiffusionSafetyChecker(CLIPConfig(vision_config=TEXT | {"image_size": 32, "patch_size": 8}, projection_dim=16))
        checker.concept_embeds_weights.data.fill_(-2)
        looks = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
        _sd(torch, UNET, VAE, TEXT, safety_checker=checker, feature_extractor=looks).save_pretrained(folder)


def controlnet(folder: Path, seed: int = 2) -> None:
    """A ControlNet for :func:`sd`. Its "zero" convolutions are not zero, so that the conditioning image counts."""
    with _random(seed) as torch:
        from diffusers import ControlNetModel

        alike = {key: value for key, value in UNET.items() if key not in ("sample_size", "up_block_types")}
        model = ControlNetModel(**alike, conditioning_embedding_out_channels=(8, 8, 16, 16))
        for convolution in (*model.controlnet_down_blocks, model.controlnet_mid_block):
            torch.nn.init.normal_(convolution.weight, std=0.3)
        for name, weights in model.controlnet_cond_embedding.named_parameters():
            torch.nn.init.zeros_(weights) if name.endswith("bias") else torch.nn.init.kaiming_normal_(weights)
        model.save_pretrained(folder)


def sdxl(folder: Path, seed: int = 3) -> None:
    """Stable Diffusion XL, 64 × 64 pixels, with both of its text encoders."""
    with _random(seed) as torch:
        from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline
        from transformers import CLIPTextModel, CLIPTextModelWithProjection

        more = {
            "cross_attention_dim": 64,
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 8,
            "projection_class_embeddings_input_dim": 32 + 6 * 8,
            "transformer_layers_per_block": (1, 1),
            "use_linear_projection": True,
        }
        StableDiffusionXLPipeline(
            vae=_calibrated(torch, VAE),
            text_encoder=_encoder(CLIPTextModel, TEXT),
            text_encoder_2=_encoder(CLIPTextModelWithProjection, TEXT),
            tokenizer=_tokenizer(),
            tokenizer_2=_tokenizer(),
            unet=_attentive(torch, UNET | more),
            scheduler=EulerDiscreteScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1),
        ).save_pretrained(folder)


@contextmanager
def _random(seed: int) -> Iterator[Any]:
    """The library torch with random numbers that begin at a seed; the caller's own go on where they were."""
    library()
    with imported():
        import torch
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        yield torch


def _sd(torch: Any, unet: Mapping[str, Any], vae: Mapping[str, Any], text: Mapping[str, Any], **parts: Any) -> Any:
    from diffusers import PNDMScheduler, StableDiffusionPipeline
    from transformers import CLIPTextModel

    return StableDiffusionPipeline(
        **{"safety_checker": None, "feature_extractor": None} | parts,
        vae=_calibrated(torch, vae),
        text_encoder=_encoder(CLIPTextModel, text),
        tokenizer=_tokenizer(),
        unet=_attentive(torch, unet),
        scheduler=PNDMScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", skip_prk_steps=True, set_alpha_to_one=False, steps_offset=1
        ),
        requires_safety_checker=False,
    )


def _attentive(torch: Any, sizes: Mapping[str, Any]) -> Any:
    """A UNet to which the prompt means something."""
    from diffusers import UNet2DConditionModel

    unet = UNet2DConditionModel(**sizes).eval()
    for name, weights in unet.named_parameters():
        if "attn2.to_out" in name:
            weights.data *= ATTENTION
    unet.conv_out.weight.data *= DRAWN
    return unet


def _encoder(kind: Any, sizes: Mapping[str, Any]) -> Any:
    from transformers import CLIPTextConfig

    words = _vocabulary()
    ends = {"bos_token_id": len(words) - 2, "eos_token_id": len(words) - 1, "pad_token_id": len(words) - 1}
    config = {"vocab_size": len(words), "max_position_embeddings": LIMIT, "projection_dim": sizes["hidden_size"]}
    return kind(CLIPTextConfig(**config | ends | dict(sizes))).eval()


def _calibrated(torch: Any, sizes: Mapping[str, Any]) -> Any:
    """A VAE whose decoder's last layer is scaled so that latent noise gives a picture of middle grey and :data:`CONTRAST`."""
    from diffusers import AutoencoderKL

    vae = AutoencoderKL(**sizes).eval()
    last = vae.decoder.conv_out
    pixels = vae.decode(torch.randn(1, 4, 8, 8) / vae.config.scaling_factor).sample
    scale = CONTRAST / pixels.std(dim=(0, 2, 3))
    last.bias.data = (last.bias - pixels.mean(dim=(0, 2, 3))) * scale
    last.weight.data *= scale[:, None, None, None]
    return vae


def _vocabulary() -> dict[str, int]:
    """Every byte, within a word and at its end, and where a text begins and ends."""
    from tokenizers.pre_tokenizers import ByteLevel

    signs = sorted(ByteLevel.alphabet())
    return {word: at for at, word in enumerate([*signs, *(f"{sign}</w>" for sign in signs), "<|startoftext|>", "<|endoftext|>"])}


def _tokenizer() -> Any:
    """CLIP's tokenizer without a word to its name: a token is a byte."""
    from transformers import CLIPTokenizer

    return CLIPTokenizer(vocab=_vocabulary(), merges=[], model_max_length=LIMIT)
