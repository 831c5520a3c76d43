"""Parts of screens that pages share: each draws one thing from frozen values."""
