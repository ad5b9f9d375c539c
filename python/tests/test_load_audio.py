"""pantanal.load_audio: samples, and what it refuses."""

import gc

import numpy as np
import pytest
from conftest import ROOT

import pantanal

AUDIO = ROOT / "tests" / "golden" / "audio"


def sine(rate, seconds=1.0, hertz=440.0):
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)


def test_gives_the_samples_as_they_are(write_wav):
    samples = np.round(sine(32000) * 32768) / 32768
    audio = pantanal.load_audio(write_wav("a.wav", samples))
    assert audio.dtype == np.float32 and audio.ndim == 1
    np.testing.assert_array_equal(audio, samples.astype(np.float32))


def test_owns_its_memory(write_wav):
    path = write_wav("a.wav", sine(32000))
    first, second = pantanal.load_audio(path), pantanal.load_audio(str(path))
    first[:] = 7
    gc.collect()
    assert np.abs(second).max() < 1


def test_mixes_to_mono(write_wav):
    left = np.round(sine(32000) * 32768) / 32768
    audio = pantanal.load_audio(write_wav("a.wav", np.stack([left, np.zeros_like(left)], axis=1)))
    np.testing.assert_allclose(audio, left / 2, rtol=0, atol=1e-7)


@pytest.mark.parametrize("rate", [8000, 22050, 48000])
def test_resamples(write_wav, rate):
    audio = pantanal.load_audio(write_wav("a.wav", sine(48000), 48000), rate=rate)
    assert audio.shape == (rate,)
    inner = slice(rate // 10, -rate // 10)
    np.testing.assert_allclose(audio[inner], sine(rate)[inner], rtol=0, atol=1e-3)


def test_reads_ogg_vorbis():
    audio = pantanal.load_audio(AUDIO / "vorbis_32000.ogg")
    expected = np.fromfile(AUDIO / "vorbis_32000.f32", "<f4")
    np.testing.assert_allclose(audio, expected, rtol=0, atol=1e-4)


def test_refuses_what_is_no_recording(tmp_path, write_wav):
    path = tmp_path / "a.wav"
    path.write_bytes(b"wvpk" + bytes(100))
    with pytest.raises(pantanal.UnsupportedError, match="a.wav.*WavPack.*expected WAV.*Ogg Vorbis"):
        pantanal.load_audio(path)
    path.write_bytes(b"")
    with pytest.raises(pantanal.CorruptError, match="a.wav.*empty"):
        pantanal.load_audio(path)
    whole = write_wav("whole.wav", sine(32000)).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(pantanal.CorruptError, match="a.wav"):
        pantanal.load_audio(path)
    with pytest.raises(pantanal.CorruptError, match="without a single sample"):
        pantanal.load_audio(write_wav("none.wav", np.zeros(0)))


def test_refuses_paths_that_lead_nowhere(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent.wav"):
        pantanal.load_audio(tmp_path / "absent.wav")
    with pytest.raises((OSError, ValueError)):
        pantanal.load_audio(tmp_path)
    with pytest.raises(FileNotFoundError):
        pantanal.load_audio(tmp_path / "caf\udce9.wav")


@pytest.mark.parametrize("rate", [0, -1, 99, 2**32, 2**40])
def test_refuses_rates_that_make_no_sense(write_wav, rate):
    with pytest.raises(ValueError, match="rate"):
        pantanal.load_audio(write_wav("a.wav", sine(32000)), rate=rate)


def test_refuses_a_rate_that_is_no_number(write_wav):
    with pytest.raises(TypeError):
        pantanal.load_audio(write_wav("a.wav", sine(32000)), rate="32 kHz")
