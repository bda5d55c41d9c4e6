"""Guesses the language of three words, character by character, with an LSTM.

    cd examples && python guess_language.py

docs/do/classify-sequences.md explains it step by step.
"""

import numpy as np

import clearprop as cp

# The words, those for the test apart.
table = cp.data.read_csv("words.csv")
words = np.array(table["word"].values)
languages = sorted(set(table["language"].values))
labels = np.array([languages.index(language) for language in table["language"].values])
train_words, test_words, train_labels, test_labels = cp.data.train_test_split(
    words, labels, stratify=labels, seed=0
)

# Characters as whole numbers; 0 fills short texts up.
letters = [" ", *sorted(set("".join(words)))]
number_of = {letter: number for number, letter in enumerate(letters, start=1)}


def encoded(texts, steps=40):
    """Whole numbers (texts, steps)."""
    x = np.zeros((len(texts), steps), np.int32)
    for row, text in zip(x, texts, strict=True):
        numbers = [number_of[letter] for letter in text[:steps]]
        row[: len(numbers)] = numbers
    return x


# Texts of three words of one language each.
def draw_texts(words, labels, count, rng):
    """Texts, and the number of the language of each."""
    y = rng.integers(len(languages), size=count)
    texts = [" ".join(rng.choice(words[labels == label], 3, replace=False)) for label in y]
    return texts, y


rng = np.random.default_rng(0)
texts, y = draw_texts(train_words, train_labels, 5000, rng)
test_texts, y_test = draw_texts(test_words, test_labels, 600, rng)
print(texts[0], "->", languages[y[0]])

# The network.
model = cp.models.lstm_classifier(
    (None,), len(languages), units=(64,), dropout=0.3, vocabulary=len(letters) + 1
)
model.compile(
    optimizer=cp.optimizers.Adam(0.01),
    loss=cp.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(encoded(texts), y, epochs=10, batch_size=64, verbose=0)

# How good it is on words that it has never seen.
accuracy = model.evaluate(encoded(test_texts), y_test)["accuracy"]
print(f"{accuracy:.0%} right; {1 / len(languages):.0%} by chance")
print("more than four of five:", accuracy > 0.8)

# What it says of new texts.
for text in ["the shortest paths", "das schwarze pferd", "kolme uutta ovea", "trzy nowe drzwi"]:
    probabilities = cp.softmax(model.predict(encoded([text]))[0]).numpy()
    best = probabilities.argmax()
    print(f"{text}: {languages[best]} ({probabilities[best]:.0%})")
