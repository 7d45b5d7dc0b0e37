"""The parts of layer-wise relevance propagation: tape, canonical form, steps, rules, composites, heat flow."""
