"""PURE: Kubernetes objects and the Helm templates that make them."""
