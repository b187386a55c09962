"""What all operators share: columns and domains as users give them, the plugin, methods and their documentation."""
