"""What became of the requests, kept in a database.

`recorder.Statistics` is the way in: it takes down accounts and gives reports. `database.database_of` says where.
"""
