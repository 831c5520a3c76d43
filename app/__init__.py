"""What runs: the Streamlit entry, the launcher, the command line, queries, actions and charts."""
