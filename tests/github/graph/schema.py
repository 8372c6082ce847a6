"""GitHub's GraphQL schema (npm ``@octokit/graphql-schema``), parsed once a process."""

import functools
import re

import graphql

from tests.github import install


@functools.cache
def _schema() -> graphql.GraphQLSchema:
    text = (install.ensure() / "graphql-schema" / "schema.graphql").read_text()
    undescribed = re.sub(r'"""[\s\S]*?"""', "", text)  # half the time to parse
    document = graphql.parse(undescribed, no_location=True)
    return graphql.build_ast_schema(document, assume_valid=True)


class Schema:
    """The schema, at first need."""

    @property
    def loaded(self) -> graphql.GraphQLSchema:
        """The whole of it."""
        return _schema()

    def problems(self, document: graphql.DocumentNode) -> list[graphql.GraphQLError]:
        """Validate a query."""
        return graphql.validate(_schema(), document)
