"""The optional pass: illustrated candidates by diffusion models, services and language models, for a person to choose from.

Only what is imported where it is used needs the extra ``diffusion``; without it everything else of Bushu works.
"""
