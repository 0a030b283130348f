"""The tokenizer: words cut into stem and clitics, diacritics behind them, then WordPiece."""

from transformers import PreTrainedTokenizerFast

from .marks import Stemmer, marks_behind, normalised


class ArabicMorphTokenizer(PreTrainedTokenizerFast):
    """Prepares texts in `__call__` and `encode`; `tokenize` and the backend see them as they are given."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.stemmer = Stemmer()

    def __call__(self, text=None, text_pair=None, *args, apply_stemming=True, **kwargs):
        text, text_pair = self._prepared(text, apply_stemming), self._prepared(text_pair, apply_stemming)
        return super().__call__(text, text_pair, *args, **kwargs)

    def encode(self, text, text_pair=None, *args, apply_stemming=True, **kwargs):
        text, text_pair = self._prepared(text, apply_stemming), self._prepared(text_pair, apply_stemming)
        return super().encode(text, text_pair, *args, **kwargs)

    def _prepared(self, text, apply_stemming):
        if isinstance(text, str):
            stemmed = self.stemmer.stem(text, sep=" [+] ", preserve_diacritics=True) if apply_stemming else text
            return marks_behind(normalised(stemmed))
        if isinstance(text, (list, tuple)):
            return [self._prepared(each, apply_stemming) for each in text]
        return text
