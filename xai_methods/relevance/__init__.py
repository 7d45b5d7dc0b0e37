"""The parts of layer-wise relevance propagation: canonical form, rules, composites, heat flow."""
