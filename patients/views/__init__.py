"""The patient's pages: opened by a personal link, without a sign-in, a cookie or a session."""
