"""TLS contexts, made late and in a thread: loading the system's store takes tens of milliseconds."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

from protea.adapters.http.errors import HttpError


def make_context(environment: Mapping[str, str], ca_file: str | None) -> ssl.SSLContext:
    """A client context that checks certificates. Blocks; call it in a thread.

    `SSL_CERT_FILE` and `SSL_CERT_DIR` replace the system's store, as OpenSSL has it; `ca_file` adds to either.
    """
    cert_file, cert_dir = environment.get("SSL_CERT_FILE") or None, environment.get("SSL_CERT_DIR") or None
    try:
        context = ssl.create_default_context(cafile=cert_file, capath=cert_dir)
    except (OSError, ssl.SSLError) as exc:
        raise HttpError(
            "tls", f"SSL_CERT_FILE or SSL_CERT_DIR cannot be used ({cert_file or cert_dir}: {exc}); mend or unset it"
        ) from exc
    if ca_file:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as exc:
            raise HttpError("tls", f"the CA file {ca_file} cannot be used: {exc}") from exc
    elif not cert_file and not cert_dir and not _system_has_certificates(context):
        _use_certifi(context)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _system_has_certificates(context: ssl.SSLContext) -> bool:
    paths = ssl.get_default_verify_paths()
    return bool(context.cert_store_stats()["x509_ca"] or paths.capath)


def _use_certifi(context: ssl.SSLContext) -> None:
    try:
        import certifi  # type: ignore[import-not-found,unused-ignore]  # not a dependency; some Pythons come without a store and people install it for that
    except ImportError:
        return
    context.load_verify_locations(cafile=certifi.where())


def tls_error(exc: BaseException, host: str) -> HttpError:
    """`exc` from a handshake with `host`, as a sentence."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        reason = exc.verify_message or str(exc)
        mend = (
            "check this machine's clock, or the server's certificate"
            if "expired" in reason or "not yet valid" in reason
            else "if a company proxy or private CA signs it, set SSL_CERT_FILE to its CA file"
        )
        return HttpError("tls", f"the certificate of {host} is not accepted: {reason}; {mend}")
    reason = getattr(exc, "reason", None) or str(exc) or type(exc).__name__
    if reason == "WRONG_VERSION_NUMBER":
        return HttpError("tls", f"{host} does not speak TLS at this port; should the address begin with http://?")
    return HttpError("tls", f"the TLS handshake with {host} failed: {reason}")
