"""What all requests and answers share: limits, headers, problems, forms, lists."""
