"""What the operator wrote: api.yaml and the environment, as typed and frozen values.

`load.load_text` turns a text into a `schema.Config` or reports every problem in it at once,
`watch.ConfigSource` says where the text comes from and follows its changes,
`environment.Environment` holds the process's own settings.
"""
