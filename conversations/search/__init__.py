"""Full-text search over titles and messages: `index` keeps what is searched, `words` reads what a
user typed, `match` asks the database, and `find` makes hits of it."""
