"""What the tests and tools in Python share: free ports, certificates, server processes, a client, the running of
commands. Whoever uses it has this folder's parent in sys.path."""
