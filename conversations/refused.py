class Refused(ValueError):
    """The user asked for something that cannot be. `code` is the protocol's, the text a sentence
    for the user; after `retryable` the same command may succeed later."""

    def __init__(self, code: str, sentence: str, *, retryable: bool = False) -> None:
        super().__init__(sentence)
        self.code = code
        self.retryable = retryable
