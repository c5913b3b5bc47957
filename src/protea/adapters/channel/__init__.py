"""Conversations outside."""
