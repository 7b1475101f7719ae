"""The words of the product's sentences, in every language, and their rendering. Data in JSON, one file a language."""
