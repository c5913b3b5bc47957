"""What every `Web` keeps."""

from __future__ import annotations

from protea.ports.web import Web, WebError

NEVER = (
    *(
        "file:///etc/passwd",
        "ftp://example.org/",
        "gopher://example.org/",
        "data:text/plain,x",
        "javascript:1",
        "nonsense",
    ),
    *("http://127.0.0.1:1/", "http://[::1]:1/", "http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/", ""),
)


class WebContract:
    def web(self) -> Web:
        """The same one at every call within one test. The test closes it."""
        raise NotImplementedError

    async def _refused(self, url: str) -> WebError:
        try:
            page = await self.web().fetch(url)
        except WebError as error:
            return error
        raise AssertionError(f"{url} gave {page}")

    async def test_what_may_never_be_fetched_is_refused_in_one_line(self) -> None:
        try:
            said = [str(await self._refused(url)) for url in NEVER]
            assert all(said)
            assert "\n" not in "".join(said)
        finally:
            await self.web().aclose()

    async def test_one_that_reaches_nothing_says_so_beforehand(self) -> None:
        try:
            if not self.web().reaches:
                assert (await self._refused("https://example.org/")).trouble == "off"
        finally:
            await self.web().aclose()

    async def test_closing_twice_is_harmless(self) -> None:
        await self.web().aclose()
        await self.web().aclose()
