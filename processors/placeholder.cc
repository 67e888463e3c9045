// removed with the first component
