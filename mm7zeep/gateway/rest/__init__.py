"""REST over JSON: routes, requests judged by models, answers, and the OpenAPI document of them. Knows of no gateway."""
