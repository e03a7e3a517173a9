"""CLINIC: visits become a course, and rules turn the course into flags."""
