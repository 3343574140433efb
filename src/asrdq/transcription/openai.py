"""Any server that speaks OpenAI's `/v1/audio/transcriptions`, such as vLLM.

The client is OpenAI's own: it retries what may go better next time (connection errors, time-outs,
408, 409, 429 and 5xx) with exponential back-off and heeds Retry-After.
"""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NoReturn
from urllib.parse import urlsplit

from asrdq.errors import ToolError, UsageError, nearest
from asrdq.transcription.protocol import (
    Samples,
    TranscriberOptions,
    Transcription,
    TranscriptionStatus,
)

if TYPE_CHECKING:
    import openai

_NO_KEY: Final = "none"
"""What is sent where there is no key: the client asks for one, local servers do not."""

_REFUSES_ALL: Final = frozenset({401, 403, 404, 405})
"""Answers that any other clip would get too: a wrong key, model or address."""

_GIVE_UP_AFTER: Final = 10
_LIST_RETRIES, _LIST_TIMEOUT_S = 2, 30.0
_LONGEST_S: Final = 1500.0
_DETAIL_CHARACTERS: Final = 300


class OpenAITranscriber:
    """Sends each clip as a 16 kHz FLAC file; the language of the clip is told to the server.

    There is no confidence and no time of words: the plain answer of the interface has none.
    """

    remote = True
    sample_rate = 16_000
    languages: frozenset[str] | None = None
    longest_s = _LONGEST_S
    batch_size = 1
    batch_s = 0.0
    processes = 0

    def __init__(self, options: TranscriberOptions) -> None:
        self._url = _checked(options.address)
        self.name = f"openai:{self._url}"
        self.version = options.model or ""
        self.concurrency = options.concurrency
        self._options = options
        self._key = os.environ.get(options.key_env)
        self._client: openai.OpenAI | None = None
        self._failures = 0
        self._counting = threading.Lock()

    def load(self) -> None:
        """See that the server answers, and which model it is to use; see `Transcriber.load`."""
        try:
            import openai
        except ModuleNotFoundError as error:
            raise ToolError(
                "a transcription server needs the package openai",
                hint="pip install 'asrdq[openai]'",
            ) from error
        self._client = openai.OpenAI(
            base_url=self._url,
            api_key=self._key or _NO_KEY,
            organization="",
            project="",
            timeout=self._options.timeout_s,
            max_retries=self._options.retries,
        )
        self.version = self._model(self._served())

    def transcribe(
        self, clips: Sequence[Samples], languages: Sequence[str]
    ) -> Sequence[Transcription]:
        """Ask the server for each clip; see `Transcriber.transcribe`."""
        return [self._one(*each) for each in zip(clips, languages, strict=True)]

    def close(self) -> None:
        """Close the connections; requests under way end."""
        if self._client is not None:
            self._client.close()

    def _one(self, samples: Samples, language: str) -> Transcription:
        import openai

        assert self._client is not None
        try:
            answer = self._client.audio.transcriptions.create(
                model=self.version,
                file=("clip.flac", _flac(samples, self.sample_rate), "audio/flac"),
                language=language,
                temperature=0.0,
                response_format="json",
            )
        except openai.APIStatusError as error:
            if error.status_code in _REFUSES_ALL:
                self._stop(error)
            if error.status_code < 500 and error.status_code not in (408, 409, 429):
                return Transcription(TranscriptionStatus.REFUSED, detail=self._said(error))
            return self._failed(self._said(error))
        except (openai.OpenAIError, ValueError) as error:
            return self._failed(self._said(error))
        text = getattr(answer, "text", None)
        if not isinstance(text, str):
            return self._failed("the answer has no text")
        with self._counting:
            self._failures = 0
        return Transcription(TranscriptionStatus.TRANSCRIBED, text)

    def _failed(self, detail: str) -> Transcription:
        """Count a failure that may be otherwise next time.

        Raises:
            ToolError: It is the tenth in a row.
        """
        with self._counting:
            self._failures += 1
            failures = self._failures
        if failures >= _GIVE_UP_AFTER:
            raise ToolError(
                f"the server failed {failures} times in a row: {detail}",
                where=self._url,
                hint="what was transcribed is kept: the same command goes on",
            )
        return Transcription(TranscriptionStatus.SERVER_FAILED, detail=detail)

    def _served(self) -> list[str]:
        """Return the names of the models that the server lists; empty where it lists none.

        Raises:
            ToolError: It cannot be reached, or refuses.
        """
        import openai

        assert self._client is not None
        quick = self._client.with_options(
            max_retries=min(self._options.retries, _LIST_RETRIES),
            timeout=min(self._options.timeout_s, _LIST_TIMEOUT_S),
        )
        try:
            return [model.id for model in quick.models.list()]
        except openai.APIStatusError as error:
            if error.status_code in (401, 403):
                self._stop(error)
            return []
        except openai.APIConnectionError as error:
            cause = error.__cause__ or error
            raise ToolError(
                f"the server does not answer: {self._masked(str(cause))}",
                where=self._url,
                hint="is it running, and is the address right? It ends in /v1",
            ) from None
        except (openai.OpenAIError, ValueError, AttributeError, TypeError):
            return []

    def _model(self, served: list[str]) -> str:
        """Return the model to ask for.

        Raises:
            UsageError: It is not said and not clear, or not among those that the server has.
        """
        wanted = self._options.model
        listed = ", ".join(served[:20])
        if wanted is None:
            if len(served) == 1:
                return served[0]
            hint = f"--model NAME; it has: {listed}" if served else "--model NAME"
            raise UsageError("which model is the server to use?", where=self._url, hint=hint)
        if served and wanted not in served:
            guess = nearest(wanted, served)
            meant = f"did you mean '{guess}'? " if guess else ""
            raise UsageError(
                f"the server has no model '{wanted}'",
                where=self._url,
                hint=f"{meant}it has: {listed}",
            )
        return wanted

    def _stop(self, error: openai.APIStatusError) -> NoReturn:
        """Raise the error for an answer that all clips would get."""
        refused = error.status_code in (401, 403)
        raise ToolError(
            f"the server refuses: {self._said(error)}",
            where=self._url,
            hint=f"put a valid key into the environment variable {self._options.key_env}"
            if refused
            else "are the address (it ends in /v1) and --model right?",
        ) from None

    def _said(self, error: Exception) -> str:
        """Return what went wrong in one line, without the key."""
        said = " ".join(str(error).split()) or type(error).__name__
        status = getattr(error, "status_code", None)
        begin = f"{status}: " if status is not None and str(status) not in said else ""
        return self._masked(begin + said)

    def _masked(self, text: str) -> str:
        return (text.replace(self._key, "***") if self._key else text)[:_DETAIL_CHARACTERS]


def _checked(address: str | None) -> str:
    """Return the address of a server.

    Raises:
        UsageError: There is none, or it holds credentials, which would be stored with the run.
    """
    example = "--with openai:http://127.0.0.1:8000/v1"
    parts = urlsplit(address or "")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        shown = "" if "@" in (address or "") else f": '{address or ''}'"
        raise UsageError(f"this is no address of a server{shown}", hint=example)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError(
            "the address of a server has no credentials and no query",
            hint=f"a key stands in the environment variable OPENAI_API_KEY: {example}",
        )
    return str(address).rstrip("/")


def _flac(samples: Samples, rate: int) -> bytes:
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, samples.clip(-1.0, 1.0), rate, format="FLAC", subtype="PCM_16")
    return file.getvalue()
