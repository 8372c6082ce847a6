"""PURE: Ansible's tasks, the modules that matter, and the variables of a role as far as literal."""
