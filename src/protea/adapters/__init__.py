"""The driven side: each adapter fills a port and knows only the domain and the ports."""
