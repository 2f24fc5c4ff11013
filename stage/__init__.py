"""Deploys template.yaml to MiniStack, an emulator of AWS, and checks what is deployed."""
