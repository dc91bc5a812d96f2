"""The ground both apps stand on. It knows no funnel and no student."""
